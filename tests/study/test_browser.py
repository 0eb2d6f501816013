"""The report as a browser sees it: no request to anywhere, no error on the console, nothing wider than a phone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import browse
from tests.test_package import run

PROBE = """
document.querySelectorAll('details').forEach(d=>d.open=true);
return {width:innerWidth,scroll:document.documentElement.scrollWidth,math:document.querySelectorAll('math').length,
resources:performance.getEntriesByType('resource').length}
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("browser")
    done = run("study", "--quick", "--out", str(folder / "report.html"))
    assert done.returncode == 0, done.stderr
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.browser
@pytest.mark.parametrize("width", [500, 1200])
def test_report_in_a_browser(report: str, tmp_path: Path, width: int) -> None:
    """500 pixels is the least a headless window takes; the phone's 390 are looked at by eye."""
    seen, console = browse(report, PROBE, tmp_path, width)
    assert seen["resources"] == 0
    assert seen["scroll"] <= seen["width"]
    assert seen["math"] > 50
    assert "CONSOLE" not in console
