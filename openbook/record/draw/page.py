"""The page around workings: one file, no network, light and dark, wide, narrow and on paper."""

from __future__ import annotations

from html import escape

from openbook.record.draw.colours import DARK, LIGHT, PRINTED

__all__ = ["in_notebook", "page"]

_COLOURS = (
    f":root{{{LIGHT};color-scheme:light dark}}"
    f"@media (prefers-color-scheme:dark){{:root{{{DARK}}}}}"
    f"@media print{{:root{{{PRINTED};color-scheme:light}}}}"
)

_PAGE = """
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--ob-paper);color:var(--ob-ink);font:17px/1.6 Charter,"Iowan Old Style","Palatino Linotype",
Palatino,Georgia,"DejaVu Serif",serif}
main{max-width:62rem;margin:0 auto;padding:2.2rem 1.2rem 5rem}
h1{font-size:2.1rem;line-height:1.2;margin:.2em 0 .3em;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:1.45rem;line-height:1.3;margin:3.2rem 0 .6rem;padding-top:1.1rem;border-top:1px solid var(--ob-line)}
h3{font-size:1.1rem;margin:1.6rem 0 .4rem}
p{margin:.6em 0;max-width:46rem}
a{color:var(--ob-accent)}
nav,summary{font-family:system-ui,-apple-system,"Segoe UI","Noto Sans","DejaVu Sans",sans-serif}
@media (max-width:640px){body{font-size:16px}main{padding:1.2rem .9rem 3rem}h1{font-size:1.6rem}}
@media print{body{font-size:10.5pt}main{max-width:none;padding:0}nav{display:none}
h2{margin-top:1.6rem;break-after:avoid}}
"""

# What a working needs, on whatever page it stands: its classes begin with ob-, so that it leaves the rest alone.
_WORKING = """
.ob-quiet{color:var(--ob-quiet)}
.ob-small,.ob-check,.ob-why,.ob-part,.ob-title,.ob-tip,.ob-table caption,.ob-table{font-family:system-ui,-apple-system,
"Segoe UI","Noto Sans","DejaVu Sans",sans-serif}
.ob-small{font-size:.86rem}
.ob-scroll{overflow-x:auto;max-width:100%;padding-bottom:.2rem}
.ob-working{margin:1rem 0 1.4rem;border:1px solid var(--ob-line);border-radius:10px;background:var(--ob-paper)}
.ob-working>summary{padding:.65rem 1rem;font-size:.98rem;cursor:pointer;border-radius:10px}
.ob-working>summary:hover,.ob-working>summary:focus-visible{background:var(--ob-soft)}
.ob-working[open]>summary{border-bottom:1px solid var(--ob-line);border-radius:10px 10px 0 0}
.ob-title{display:inline;font-size:1em;font-weight:600;margin:0}
.ob-inside{padding:.4rem 1rem 1rem}
.ob-question{font-style:italic;color:var(--ob-quiet);margin:.5rem 0}
.ob-part.ob-part{font-size:.78rem;line-height:1.5;text-transform:uppercase;letter-spacing:.06em;color:var(--ob-accent);
margin:1.2rem 0 .2rem;padding:0;border:0;font-weight:650}
.ob-steps,.ob-givens{list-style:none;margin:0;padding:0}
.ob-givens{margin:.2rem 0;display:flex;flex-wrap:wrap;gap:.3rem 2rem}
.ob-step{border-bottom:1px dotted var(--ob-line);content-visibility:auto;contain-intrinsic-size:auto 2.6rem}
.ob-step:last-child{border-bottom:0}
.ob-step>details>summary,.ob-given{display:grid;grid-template-columns:minmax(0,1fr) minmax(8rem,15rem);gap:.2rem 1.2rem;
align-items:center;padding:.3rem 0;list-style:none}
.ob-step>details>summary{cursor:pointer}
.ob-step>details>summary::-webkit-details-marker{display:none}
.ob-step>details>summary .ob-why::before{content:"▸" / "";margin-right:.4em}
.ob-step>details[open]>summary .ob-why::before{content:"▾" / ""}
.ob-step summary:focus-visible{outline:2px solid var(--ob-accent);outline-offset:2px;border-radius:4px}
.ob-calc{display:block;overflow:auto hidden;padding:.3em 0 .3em 1.6em;text-indent:-1.6em;word-spacing:-.28em}
.ob-calc math,.ob-more math{math-style:normal;text-indent:0;white-space:nowrap}
.ob-why{font-size:.8rem;line-height:1.35;color:var(--ob-quiet);text-align:right}
.ob-more{margin:0 0 .6rem;padding:.5rem .8rem;background:var(--ob-soft);border-radius:8px;font-size:.9rem}
.ob-more dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem 1rem;margin:0}
.ob-more dt{font-family:system-ui,sans-serif;font-size:.8rem;color:var(--ob-quiet)}
.ob-more dd{margin:0;overflow-x:auto}
.ob-calc math,.ob-more math,.ob-tip math{font-size:1.04em}
.ob-tip{word-spacing:-.28em}.ob-tip math{math-style:normal}
[data-w] [data-s]{cursor:help}
.ob-lit{background:var(--ob-mark);border-radius:3px}
.ob-tip{position:fixed;z-index:9;max-width:min(92vw,40rem);max-height:45vh;overflow:auto;padding:.35rem .8rem;
background:var(--ob-paper,#fff);color:var(--ob-ink,inherit);border:1px solid var(--ob-accent);border-radius:8px;
box-shadow:0 4px 18px #0003;font-size:.95rem}
.ob-tip[hidden]{display:none}
.ob-table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums;margin:.8rem 0;min-width:14rem}
.ob-table caption{text-align:left;font-weight:600;padding:.2rem 0;font-size:.88rem}
.ob-table th,.ob-table td{padding:.22rem .8rem .22rem 0;text-align:left;border-bottom:1px solid var(--ob-line);
vertical-align:top}
.ob-table th{font-weight:600;color:var(--ob-quiet)}
.ob-table tbody th{font-weight:400;color:inherit}
.ob-table thead th{vertical-align:bottom}
.ob-table .n{text-align:right;white-space:nowrap}
.ob-table thead .n{white-space:normal;text-wrap:balance}
.ob-table tr.ob-marked{background:var(--ob-mark)}
.ob-table tr.ob-marked>:first-child::before{content:"→ "}
.ob-check{font-size:.78rem;color:var(--ob-good);margin:.9rem 0 0}
.ob-check.ob-wrong{color:var(--ob-bad);font-weight:700}
.ob-note{border-left:3px solid var(--ob-accent);padding:.1rem 0 .1rem .9rem;margin:.9rem 0;max-width:46rem}
.ob-figure{display:block;width:100%;max-width:40rem;height:auto;color:var(--ob-ink);margin:.6rem 0}
@media (max-width:640px){.ob-step>details>summary,.ob-given{grid-template-columns:minmax(0,1fr)}.ob-why{text-align:left}
.ob-inside{padding:.3rem .7rem .8rem}.ob-more dl{grid-template-columns:minmax(0,1fr);gap:0 0}.ob-more dd{margin-bottom:.4rem}}
@media print{.ob-working,.ob-step,.ob-figure,.ob-graph,.ob-table tr{break-inside:avoid-page}.ob-working{border:0}
.ob-inside{padding:0}.ob-part,.ob-question,.ob-table caption,.ob-title{break-after:avoid}
.ob-working::details-content,.ob-fold::details-content,.ob-step>details::details-content{content-visibility:visible;
block-size:auto}.ob-step{content-visibility:visible}
.ob-scroll,.ob-calc,.ob-more dd{overflow:visible}.ob-figure{max-width:24rem}.ob-graph{max-width:100%}
.ob-why::before,.ob-tip{display:none}}
"""

# In a notebook the colours are those around it, whatever its theme.
_NOTEBOOK = """
.ob-notebook,.ob-tip{--ob-ink:currentColor;--ob-quiet:color-mix(in srgb,currentColor 68%,transparent);
--ob-line:color-mix(in srgb,currentColor 22%,transparent);--ob-soft:color-mix(in srgb,currentColor 6%,transparent);
--ob-accent:#3b7dc4;--ob-contrast:#cf5a1e;--ob-good:#2a9360;--ob-bad:#d64541;
--ob-mark:color-mix(in srgb,#f2b705 32%,transparent)}
.ob-notebook{--ob-paper:transparent}
.ob-tip{--ob-paper:Canvas;color:CanvasText}
"""

_STYLE = _COLOURS + _PAGE + _WORKING

# A symbol, its numbers, its box and its cells light up together, and a note says what it is: under the mouse, under a finger,
# and with the arrow keys from a step that has the focus. Everything works without; nothing is loaded.
_SCRIPT = """
(()=>{
if(window.openbookTies)return;window.openbookTies=true;
const tip=document.createElement('div');tip.className='ob-tip';tip.setAttribute('role','status');tip.hidden=true;
let at=null,lit=[];
const dark=()=>{lit.forEach(e=>e.classList.remove('ob-lit'));lit=[];at=null;tip.hidden=true;tip.replaceChildren()};
const same=e=>[...document.querySelectorAll(`[data-w="${e.closest('[data-w]').dataset.w}"]`)];
const beside=(e,said)=>{
tip.replaceChildren(...[...said.children].map(m=>m.cloneNode(true)).flatMap(m=>[m,' ']));
(e.closest('.ob-notebook')||document.body).append(tip);tip.hidden=false;
const r=e.getBoundingClientRect(),h=tip.offsetHeight,below=r.bottom+8+h<innerHeight;
tip.style.left=Math.max(4,Math.min(r.left,innerWidth-tip.offsetWidth-8))+'px';
tip.style.top=(below?r.bottom+8:Math.max(4,r.top-h-8))+'px'};
const light=e=>{if(e===at)return;dark();if(!e||!e.closest('[data-w]'))return;at=e;const k=e.dataset.s,places=same(e);
lit=places.flatMap(w=>[...w.querySelectorAll(`[data-s="${k}"]`)]);lit.forEach(o=>o.classList.add('ob-lit'));
const own=places.map(w=>w.querySelector(`[data-of="${k}"]`)).find(Boolean);
if(own&&!own.contains(e))beside(e,own)};
const symbol=e=>e.closest&&e.closest('[data-s]');
addEventListener('pointerover',e=>{if(e.pointerType==='mouse'&&!tip.contains(e.target))light(symbol(e.target))});
addEventListener('click',e=>{if(e.pointerType==='touch'||e.pointerType==='pen'){const s=symbol(e.target);
if(s&&s!==at){e.preventDefault();light(s)}else if(!s)dark()}});
addEventListener('focusin',e=>{if(e.target.matches('.ob-step summary:focus-visible'))light(symbol(e.target)||
e.target.querySelector('[data-s]'))});
addEventListener('focusout',dark);
addEventListener('keydown',e=>{if(e.key==='Escape')dark();
const step={ArrowRight:1,ArrowLeft:-1}[e.key];if(!step||!e.target.matches('.ob-step summary'))return;
const all=[...e.target.querySelectorAll('[data-s]')];if(!all.length)return;
light(all[(all.indexOf(at)+step+all.length)%all.length]);e.preventDefault()});
addEventListener('scroll',()=>{if(!tip.hidden)dark()},{passive:true});
let opened=[];
addEventListener('beforeprint',()=>{dark();opened=[...document.querySelectorAll('details:not([open])')].filter(d=>
d.matches('.ob-working,.ob-fold,.ob-step>details'));opened.forEach(d=>d.open=true)});
addEventListener('afterprint',()=>opened.forEach(d=>d.open=false));
const show=()=>{const t=location.hash&&document.getElementById(location.hash.slice(1));
for(let p=t;p;p=p.parentElement)if(p.tagName==='DETAILS')p.open=true;if(t)t.scrollIntoView()};
addEventListener('hashchange',show);show();
})();
"""


def page(title: str, body: str, style: str = "", script: str = "") -> str:
    """A whole HTML file: nothing in it asks for anything from elsewhere."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{_STYLE}{style}</style></head>\n"
        f"<body><main>{body}</main><script>{_SCRIPT}{script}</script></body></html>\n"
    )


def in_notebook(fragment: str) -> str:
    """A fragment with the style it needs, in the colours of the notebook around it, and the script."""
    return f'<div class="ob-notebook"><style>{_WORKING}{_NOTEBOOK}</style>{fragment}<script>{_SCRIPT}</script></div>'
