"""What the tests share: where things are that not every machine has, and the reasons to skip without them."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run, saying why."""
    reasons = {
        "torch": None if importlib.util.find_spec("torch") else "PyTorch is not installed",
        "data": None if SHARED.is_dir() else "the data sets of ../shared/data are not here",
        "browser": None if chromium() else "no Chromium is installed",
    }
    for item in items:
        for marker, reason in reasons.items():
            if reason and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_collection_finish() -> None:
    """PyTorch on one thread: several workers with all its threads each would only wait for one another."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def chromium() -> str | None:
    """The browser's command, if there is one."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the shared data sets; use with the marker `data`."""
    return SHARED
