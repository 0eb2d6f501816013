"""What looks on while a forest grows: limits, callbacks, a bar. A watch gives, after each tree, the reason to stop or None."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.forest.fixed import Target
from openbook.forest.kept import KeptTrees
from openbook.forest.kernels import kernels_cached

try:
    from sklearn.callback import CallbackSupportMixin as CallbackSupport
    from sklearn.callback import with_callbacks
except ImportError:  # scikit-learn before 1.9 knows no callbacks

    class CallbackSupport:  # type: ignore[no-redef]
        """Nothing to support."""

    def with_callbacks(method: Callable) -> Callable:
        """The method as it is."""
        return method


__all__ = [
    "CallbackSupport",
    "Watch",
    "asking",
    "memory_limit",
    "progress_bar",
    "telling",
    "time_limit",
    "with_callbacks",
]

Watch = Callable[[KeptTrees, int], "str | None"]


@contextmanager
def asking(callback: Callable[[int, int], Any]) -> Iterator[Watch]:
    """The caller's own function of how many trees are done, of how many; False stops (None does not)."""
    yield lambda trees, of: "the callback said so" if callback(len(trees), of) is False else None


@contextmanager
def time_limit(seconds: float) -> Iterator[Watch]:
    """At most about so long; the first tree is always kept."""
    if not seconds > 0:
        raise InputError(f"max_time={seconds!r} is no time", do="give seconds, more than 0")
    end = time.monotonic() + seconds
    yield lambda trees, of: f"max_time={seconds:g} seconds are over" if time.monotonic() >= end else None


@contextmanager
def memory_limit(most: int) -> Iterator[Watch]:
    """No tree more once another one of average size would take the trees' arrays beyond so many bytes."""
    if not most > 0:
        raise InputError(f"max_memory={most!r} is no memory", do="give bytes, more than 0")
    used = 0

    def watch(trees: KeptTrees, of: int) -> str | None:
        nonlocal used
        used += trees.nbytes_of(-1)
        return f"another tree would need more than max_memory={most} bytes" if used + used / len(trees) > most else None

    yield watch


@contextmanager
def progress_bar(of: int) -> Iterator[Watch]:
    """A bar on standard error; it says why nothing moves while kernels are compiled."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("trees" if kernels_cached() else "compiling, once after installing; then trees", total=of)
        yield lambda trees, of: bar.update(task, completed=len(trees), description="trees")


@contextmanager
def telling(forest: Any, X: Any, targets: Sequence[Target], of: int) -> Iterator[Watch]:
    """scikit-learn's callbacks (`set_callbacks`): a task for the fit, and one for each tree."""
    if not getattr(forest, "_skl_callbacks", None):
        yield lambda trees, of: None
        return
    y = targets[0].y if len(targets) == 1 else np.stack([target.y for target in targets], axis=-1)
    context = forest._init_callback_context(max_subtasks=of)
    context.call_on_fit_task_begin(estimator=forest, X=X, y=y)

    def watch(trees: KeptTrees, of: int) -> str | None:
        now = context.subcontext(task_name="tree")
        now.call_on_fit_task_begin(estimator=forest, X=X, y=y)
        stop = now.call_on_fit_task_end(estimator=forest, X=X, y=y, reconstruction_attributes=lambda: fitted(forest))
        return "a callback of scikit-learn's said so" if stop else None

    yield watch
    context.call_on_fit_task_end(estimator=forest, X=X, y=y, reconstruction_attributes=lambda: fitted(forest))


def fitted(forest: Any) -> dict[str, Any]:
    """What makes the forest, as far as it has grown, ready to predict."""
    return {name: value for name, value in vars(forest).items() if name.endswith("_") and not name.startswith("_")}
