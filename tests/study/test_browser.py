"""The report as a browser sees it: no request to anywhere, no error on the console, nothing wider than a phone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.conftest import chromium
from tests.test_package import run

PROBE = """
<script>addEventListener('load',()=>{document.querySelectorAll('details').forEach(d=>d.open=true);
setTimeout(()=>{const e=document.createElement('pre');e.id='probe';e.textContent=JSON.stringify({
width:innerWidth,scroll:document.documentElement.scrollWidth,math:document.querySelectorAll('math').length,
resources:performance.getEntriesByType('resource').length});document.body.append(e)},300)})</script>
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    done = run("study", "--quick", "--out", str(folder / "report.html"))
    assert done.returncode == 0, done.stderr
    page = (folder / "report.html").read_text(encoding="utf-8")
    (folder / "probed.html").write_text(page.replace("</body>", PROBE + "</body>"), encoding="utf-8")
    return folder / "probed.html"


def browse(page: Path, profile: Path, width: int) -> tuple[dict, str]:
    command = [
        str(chromium()), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--enable-logging=stderr", f"--user-data-dir={profile}",
        f"--window-size={width},1000", "--virtual-time-budget=3000", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, encoding="utf-8")
    told = done.stdout.partition('<pre id="probe">')[2].partition("</pre>")[0]
    return json.loads(told), done.stderr


@pytest.mark.browser
@pytest.mark.parametrize("width", [500, 1200])
def test_report_in_a_browser(report: Path, tmp_path: Path, width: int) -> None:
    """500 pixels is the least a headless window takes; the phone's 390 are looked at by eye."""
    seen, console = browse(report, tmp_path / "profile", width)
    assert seen["resources"] == 0
    assert seen["scroll"] <= seen["width"]
    assert seen["math"] > 50
    assert "CONSOLE" not in console
