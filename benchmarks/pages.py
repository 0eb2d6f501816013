"""Claim: the page of a working of a thousand steps opens in Chromium within a second."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

import openbook as ob
from openbook.expr import parse
from openbook.record import Step, Working, given

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ROUNDS = 5
# From the start of loading to a page that is laid out whole.
PROBE = """<script>addEventListener('load',()=>{document.body.offsetHeight;
document.title='opened in '+Math.round(performance.now())+' ms'})</script></body>"""


def chain(steps: int) -> Working:
    """s_{k+1} = 0.9·s_k + 1, in parts of a hundred."""
    made = [given("s_0", 1.0)]
    for k in range(1, steps):
        before = made[-1]
        formula = parse("0.9*a + 1").rename({"a": before.name})
        made.append(
            Step(f"s_{k}", 0.9 * before.value + 1, formula, (before,), "decay", "a tenth is lost", f"Part {k // 100}")
        )
    return Working(f"{steps} steps", tuple(made), made[-1].value)


def forest() -> Working:
    X, y = load_breast_cancer(return_X_y=True)
    return ob.explain(RandomForestClassifier(500, random_state=0).fit(X, y), row=X[0])


def net() -> Working:
    ob.manual_seed(0)
    model = ob.nn.TransformerEncoder(ob.nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0), 8).double()
    loss = model(ob.randn(3, 2, 16).double()).tanh().square().sum()
    return ob.explain(loss, wrt="layers.0.linear1.weight", model=model)


def opened(browser: str, page: Path) -> float:
    """Milliseconds until the page is laid out, as the page itself measures it."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={profile}",
            "--dump-dom",
            page.as_uri(),
        ]
        seen = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True, timeout=120).stdout
    return float(seen.partition("<title>opened in ")[2].partition(" ms")[0])


def measured(name: str, make: Callable[[], Working], browser: str) -> None:
    working = make()
    working.check()
    began = time.perf_counter()
    drawn = working.html()
    took = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(drawn.replace("</body>", PROBE), encoding="utf-8")
        waits = [opened(browser, page) for _ in range(ROUNDS)]
    size = len(drawn.encode()) / 1e6
    print(
        f"| {name} | {len(working.steps)} | {size:.2f} MB | {took * 1e3:.0f} ms | {statistics.median(waits):.0f} ms |"
    )


if __name__ == "__main__":
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        sys.exit("no Chromium is installed")
    print("| page | steps | size | drawn | opened |\n|---|--:|--:|--:|--:|")
    measured("a chain of a thousand steps", lambda: chain(1000), found)
    measured("a row through 500 trees", forest, found)
    measured("an entry of a transformer of eight layers", net, found)
