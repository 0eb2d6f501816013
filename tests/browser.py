"""A page as a headless Chromium sees it: what a script of ours finds in it, and what the console says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.conftest import chromium

__all__ = ["browse"]


def browse(page: str, probe: str, folder: Path, width: int = 1200, height: int = 1000) -> tuple[dict, str]:
    """Load a page, run `probe` (the body of a function that returns an object) in it, and give that and the log."""
    script = f"""<script>addEventListener('load',()=>setTimeout(()=>{{let told;
    try{{told=(()=>{{{probe}}})()}}catch(problem){{told={{problem:String(problem)}}}}
    const e=document.createElement('pre');e.id='probe';e.textContent=JSON.stringify(told);document.body.append(e)}},300))</script>"""
    file = folder / "page.html"
    file.write_text(page.replace("</body>", script + "</body>"), encoding="utf-8")
    command = [
        str(chromium()), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}",
        f"--window-size={width},{height}", "--virtual-time-budget=3000", "--dump-dom", file.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, encoding="utf-8")
    told = done.stdout.rpartition('<pre id="probe">')[2].partition("</pre>")[0]
    return json.loads(told.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")), done.stderr
