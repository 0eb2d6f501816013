"""`openbook study`: what the terminal shows while a study runs, and the files it leaves."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openbook.files import require_writable, write_whole
from openbook.forest import kernels_cached
from openbook.record.draw.lines import shown_value
from openbook.study.options import Options
from openbook.study.parts import eight_parts
from openbook.study.report import comparison, draw_report
from openbook.study.study import Study, Watcher, run
from openbook.study.summary import summary

__all__ = ["study_command"]


def study_command(options: Options, out: Path, as_json: bool) -> None:
    """Run a study, write its report, and print a short table (or everything, as JSON)."""
    require_writable(out)
    shown = _Progress()
    with shown:
        study = run(options, shown)
        tell = shown.stage("report")
        parts = eight_parts(study, _counting(tell))
        text = draw_report(study, parts)
    write_whole(out, text)
    if as_json:
        json.dump(summary(study, parts), sys.stdout, indent=1, allow_nan=False, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        _print(study, out)


def _counting(tell: Callable[[int, int], None]) -> Callable[[str], None]:
    done = 0

    def told(title: str) -> None:
        nonlocal done
        done += 1
        tell(done, 8)

    return told


class _Progress(Watcher):
    """Guesses and bars on standard error; bars only where somebody is watching."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.bars = Progress(TextColumn("{task.description:>27}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
                             TimeElapsedColumn(), console=self.console, disable=not self.console.is_terminal)  # fmt: skip

    def __enter__(self) -> _Progress:
        self.bars.start()
        return self

    def __exit__(self, *problem: Any) -> None:
        if not any(problem):
            self._finish()
        self.bars.stop()

    def _finish(self) -> None:
        """The last bar is full, also where training stopped early."""
        for task in self.bars.tasks[-1:]:
            self.bars.update(task.id, total=max(task.completed, 1), completed=max(task.completed, 1))
            self.bars.stop_task(task.id)

    def say(self, sentence: str) -> None:
        self.console.print(f"· {sentence}", markup=False)

    def stage(self, name: str) -> Callable[[int, int], None]:
        if name == "forest" and not kernels_cached():
            self.say("compiling the forest's kernels, once after installing; this takes some 12 seconds")
        self._finish()
        bar = self.bars.add_task(name, total=1)

        def tell(done: int, of: int) -> None:
            self.bars.update(bar, completed=done, total=of)

        return tell


def _print(study: Study, out: Path) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = comparison(study)
    grid = Table(title=table.title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(table.columns):
        grid.add_column(column, justify="right" if i else "left", no_wrap=True)
    for i, row in enumerate(table.rows):
        chosen = i in table.marked
        grid.add_row(*(("→ " if chosen else "  ") * (k == 0) + shown_value(v) for k, v in enumerate(row)),
                     style="bold" if chosen else None)  # fmt: skip
    console = Console(highlight=False)
    console.print(grid)
    if study.thresholds:
        best = study.thresholds[study.chosen]
        console.print(
            f"Call {study.task.target.positive} when the {study.chosen} model's p ≥ {best.threshold:.4g}: on the validation rows any T in "
            f"({best.lower:.4g}, {best.upper:.4g}] gives the largest {best.metric}, {best.value:.4f}.", markup=False, soft_wrap=True,
        )  # fmt: skip
    console.print(f"The story of this table, every number with its working: {out}", markup=False, soft_wrap=True)
