"""A working as plain JSON values: strict, and the same every time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.expr import Expr, latex, source
from openbook.record.step import Step
from openbook.record.verify import Check
from openbook.record.working import Working

__all__ = ["draw", "plain"]

_LARGEST = 64  # entries: larger arrays are shown by their shape and ends


def draw(working: Working) -> dict[str, Any]:
    """Everything a working holds; steps refer to their inputs by place (−1 for values from outside it)."""
    place = {id(step): i for i, step in enumerate(working.steps)}
    verification = working.verification
    return {
        "title": working.title,
        "question": working.question,
        "result": plain(working.result),
        "steps": [_step(step, place) for step in working.steps],
        "tables": [
            {
                "title": t.title,
                "columns": list(t.columns),
                "rows": plain(t.rows),
                "note": t.note,
                "marked": list(t.marked),
            }
            for t in working.tables
        ],
        "notes": list(working.notes),
        "graph": _graph(working),
        "verification": {
            "passed": verification.passed,
            "summary": verification.summary(),
            "checks": [_check(c) for c in verification.checks],
            "unchecked": list(verification.unchecked),
        },
    }


def _step(step: Step, place: dict[int, int]) -> dict[str, Any]:
    filled, shown = step.filled, step.value if step.formula is None else step.formula
    return {
        "name": step.name,
        "part": step.part,
        "rule": step.rule,
        "why": step.why,
        "formula": source(step.formula) if step.formula is not None else None,
        "latex": latex(shown) if isinstance(shown, Expr) else None,
        "filled": source(filled) if filled is not None else None,
        "value": plain(step.value),
        "inputs": [place.get(id(i), -1) for i in step.inputs],
    }


def _check(check: Check) -> dict[str, Any]:
    return {"name": check.name, "method": check.method, "digits": plain(check.digits), "passed": check.passed}


def _graph(working: Working) -> dict[str, Any] | None:
    if working.graph is None:
        return None
    nodes = [
        {
            "id": n.id,
            "label": n.label,
            "formula": n.formula,
            "value": plain(n.value),
            "gradient": plain(n.gradient),
            "kind": n.kind,
        }
        for n in working.graph.nodes
    ]
    edges = [{"source": e.source, "target": e.target, "local": plain(e.local)} for e in working.graph.edges]
    return {"nodes": nodes, "edges": edges, "gradient_of": working.graph.gradient_of}


def plain(value: Any) -> Any:
    """A value as JSON has it: NaN and infinities as text, large arrays as their shape and ends."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, Expr):
        return source(value)
    if isinstance(value, np.ndarray):
        if value.size > _LARGEST:
            flat = value.ravel()
            return {"shape": list(value.shape), "first": plain(flat[:3].tolist()), "last": plain(flat[-1:].tolist())}
        return plain(value.tolist())
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else str(float(value))
    return value if value is None else str(value)
