"""A model module by module: what each gave."""

from __future__ import annotations

from openbook.explain.pytorch.recording import Call, Recording
from openbook.record import Table

__all__ = ["module_table"]


def module_table(recording: Recording) -> Table:
    """Every call of a module in the order in which it ended: shape, mean and spread of what it gave, its parameters."""
    rows = tuple(_row(call) for call in recording.calls)
    columns = ("module", "kind", "shape", "mean", "sd", "parameters")
    return Table("Module by module", columns, rows, note="sd: the standard deviation of the entries")


def _row(call: Call) -> tuple[object, ...]:
    output = call.output.double() if not call.output.is_complex() else call.output.abs().double()
    shape = " × ".join(map(str, output.shape)) or "a number"
    mean, spread = (float(output.mean()), float(output.std(correction=0))) if output.numel() else (0.0, 0.0)
    return (call.name or "the model", call.kind, shape, mean, spread, call.parameters)
