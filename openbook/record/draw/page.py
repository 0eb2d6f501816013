"""The page around workings: one file, no network, light and dark, wide, narrow and on paper."""

from __future__ import annotations

from html import escape

from openbook.record.draw.colours import DARK, LIGHT, PRINTED

__all__ = ["SCRIPT", "STYLE", "page"]

STYLE = (
    f":root{{{LIGHT};color-scheme:light dark}}"
    f"@media (prefers-color-scheme:dark){{:root{{{DARK}}}}}"
    + """
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ob-paper);color:var(--ob-ink);font:17px/1.6 Charter,"Iowan Old Style","Palatino Linotype",
Palatino,Georgia,"DejaVu Serif",serif}
main{max-width:62rem;margin:0 auto;padding:2.2rem 1.2rem 5rem}
h1{font-size:2.1rem;line-height:1.2;margin:.2em 0 .3em;letter-spacing:-.01em}
h2{font-size:1.45rem;line-height:1.3;margin:3.2rem 0 .6rem;padding-top:1.1rem;border-top:1px solid var(--ob-line)}
h3{font-size:1.1rem;margin:1.6rem 0 .4rem}
p{margin:.6em 0;max-width:46rem}
a{color:var(--ob-accent)}
.ob-quiet{color:var(--ob-quiet)}
.ob-small,.ob-check,.ob-why,.ob-table caption,.ob-table,nav,summary{font-family:system-ui,-apple-system,"Segoe UI",
"Noto Sans","DejaVu Sans",sans-serif}
.ob-small{font-size:.86rem}
.ob-scroll{overflow-x:auto;max-width:100%;padding-bottom:.2rem}
.ob-working{margin:1rem 0 1.4rem;border:1px solid var(--ob-line);border-radius:10px;background:var(--ob-paper)}
.ob-working>summary{padding:.65rem 1rem;font-size:.98rem;font-weight:600;cursor:pointer;border-radius:10px}
.ob-working>summary:hover,.ob-working>summary:focus-visible{background:var(--ob-soft)}
.ob-working[open]>summary{border-bottom:1px solid var(--ob-line);border-radius:10px 10px 0 0}
.ob-inside{padding:.4rem 1rem 1rem}
.ob-question{font-style:italic;color:var(--ob-quiet);margin:.5rem 0}
.ob-part{font-family:system-ui,sans-serif;font-size:.78rem;text-transform:uppercase;letter-spacing:.06em;
color:var(--ob-accent);margin:1.2rem 0 .2rem;font-weight:650}
.ob-steps{list-style:none;margin:0;padding:0}
.ob-givens{list-style:none;margin:.2rem 0;padding:0;display:flex;flex-wrap:wrap;gap:.3rem 2rem}
.ob-step{border-bottom:1px dotted var(--ob-line)}
.ob-step:last-child{border-bottom:0}
.ob-step>details>summary,.ob-given{display:grid;grid-template-columns:minmax(0,1fr) minmax(8rem,15rem);gap:.2rem 1.2rem;
align-items:center;padding:.3rem 0;list-style:none}
.ob-step>details>summary{cursor:pointer}
.ob-step>details>summary::-webkit-details-marker{display:none}
.ob-step>details>summary .ob-why::before{content:"▸ ";color:var(--ob-line)}
.ob-step>details[open]>summary .ob-why::before{content:"▾ "}
.ob-step .ob-scroll{padding:.4em 0;overflow-y:hidden}
.ob-step summary:focus-visible{outline:2px solid var(--ob-accent);outline-offset:2px;border-radius:4px}
.ob-why{font-size:.8rem;line-height:1.35;color:var(--ob-quiet);text-align:right}
.ob-more{margin:0 0 .6rem;padding:.5rem .8rem;background:var(--ob-soft);border-radius:8px;font-size:.9rem}
.ob-more dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem 1rem;margin:0}
.ob-more dt{font-family:system-ui,sans-serif;font-size:.8rem;color:var(--ob-quiet)}
.ob-more dd{margin:0;overflow-x:auto}
math{font-size:1.04em}
math [data-name],.ob-graph [data-name]{transition:background .1s}
.ob-lit{background:var(--ob-mark);border-radius:3px}
.ob-graph .ob-lit .box{fill:var(--ob-mark)}
.ob-table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums;margin:.8rem 0;min-width:14rem}
.ob-table caption{text-align:left;font-weight:600;padding:.2rem 0;font-size:.88rem;white-space:nowrap}
.ob-table th,.ob-table td{padding:.22rem .8rem .22rem 0;text-align:left;border-bottom:1px solid var(--ob-line);
vertical-align:top}
.ob-table th{font-weight:600;color:var(--ob-quiet);white-space:nowrap}
.ob-table .n{text-align:right;white-space:nowrap}
.ob-table tr.ob-marked{background:var(--ob-mark)}
.ob-check{font-size:.78rem;color:var(--ob-good);margin:.9rem 0 0}
.ob-check.ob-wrong{color:var(--ob-bad);font-weight:700}
.ob-note{border-left:3px solid var(--ob-accent);padding:.1rem 0 .1rem .9rem;margin:.9rem 0;max-width:46rem}
.ob-figure{display:block;width:100%;max-width:40rem;height:auto;color:var(--ob-ink);margin:.6rem 0}
@media (max-width:640px){body{font-size:16px}main{padding:1.2rem .9rem 3rem}h1{font-size:1.6rem}
.ob-step>details>summary,.ob-given{grid-template-columns:minmax(0,1fr)}.ob-why{text-align:left}
.ob-inside{padding:.3rem .7rem .8rem}.ob-more dl{grid-template-columns:minmax(0,1fr);gap:0 0}.ob-more dd{margin-bottom:.4rem}}
@media print{:root{PRINTED}body{font-size:10.5pt}
main{max-width:none;padding:0}.ob-working,.ob-step,figure,table{break-inside:avoid-page}.ob-working{border:0}
.ob-inside{padding:0}nav,.ob-why::before{display:none}h2,.ob-part,.ob-question{break-after:avoid}.ob-scroll,.ob-more dd{overflow:visible}
.ob-figure{max-width:24rem}h2{margin-top:1.6rem}.ob-step>details>summary,.ob-given{display:block}.ob-why{text-align:left}}
""".replace("PRINTED", PRINTED)
)

SCRIPT = """
(()=>{
const root=e=>e.closest('.ob-working')||document;
const lit=(e,on)=>{const n=e.dataset.name;root(e).querySelectorAll('[data-name]').forEach(
o=>{if(o.dataset.name===n)o.classList.toggle('ob-lit',on)})};
for(const[start,on]of[['pointerover',true],['pointerout',false],['focusin',true],['focusout',false]])
document.addEventListener(start,e=>{const t=e.target.closest&&e.target.closest('[data-name]');if(t)lit(t,on)});
let opened=[];
addEventListener('beforeprint',()=>{opened=[...document.querySelectorAll('details.ob-working:not([open])')];
opened.forEach(d=>d.open=true)});
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
        f"<title>{escape(title)}</title><style>{STYLE}{style}</style></head>\n"
        f"<body><main>{body}</main><script>{SCRIPT}{script}</script></body></html>\n"
    )
