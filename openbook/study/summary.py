"""A study as plain JSON: the same bytes for the same seed, on any number of threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openbook.record.draw.json import plain
from openbook.study.parts import Part
from openbook.study.study import Study

__all__ = ["summary"]


def summary(study: Study, parts: Sequence[Part]) -> dict[str, Any]:
    """Everything but the times."""
    task = study.task
    return {
        "table": task.table.source,
        "rows": len(task.table),
        "target": {"name": task.target.name, "task": task.target.task, "labels": list(task.target.labels)},
        "columns": {name: kind.value for name, kind in task.kinds.items()},
        "guesses": [{"what": g.what, "option": g.option} for g in task.guesses],
        "split": {"train": len(task.train.y), "validation": len(task.validation.y), "test": len(task.test.y)},
        "seed": study.options.seed,
        "metric": study.options.metric,
        "chosen": study.chosen,
        "models": {
            name: {
                "how": fitted.how,
                "temperature": fitted.scaling.temperature if fitted.scaling else None,
                "scores": plain(study.scores[name]),
            }
            for name, fitted in (*study.models.items(), ("straight net", study.straight))
        },
        "thresholds": {
            name: plain({"threshold": b.threshold, "above": b.lower, "up_to": b.upper, "value": b.value, **b.outcome.counts})
            for name, b in study.thresholds.items()
        },
        "row": int(task.test.places[study.row]) + 1,
        "parts": [
            {"title": p.title, "text": list(p.text), "workings": [w.to_dict() for w in p.workings]} for p in parts
        ],
    }  # fmt: skip
