from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def small_forests_grow_on_threads_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are asked for: what threads might change would otherwise be looked for on one."""
    from openbook.forest.training import Grower

    monkeypatch.setattr(Grower, "worth_threads", 0)
