"""openbook beside PyTorch on PyTorch's own sample inputs: values, gradients, gradients of gradients."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("expecttest", reason="PyTorch's samples need the package expecttest")

from tests.ops.op_db import known  # noqa: E402
from tests.ops.op_db.compare import Case, resolve  # noqa: E402

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

FEW = 12  # samples in the plain run; the slow tier takes them all
THERE = [op for op in op_db if resolve(op.name) is not None]


def label(op: Any) -> str:
    return f"{op.name}/{op.variant_test_name}" if op.variant_test_name else op.name


def compare(op: Any, dtype: Any, count: int | None) -> None:
    function, rtol = resolve(op.name), known.TOLERANCE.get(op.name, (1e-9, ""))[0]
    atol = rtol / 100
    gradients = op.supports_autograd and dtype is torch.float64
    if dtype in (torch.float32, torch.float16):
        rtol, atol = max(rtol, 2e-4), 2e-5
    for i, sample in enumerate(itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=gradients), count)):
        if known.reason_to_skip(op, sample):
            continue
        sample.kwargs = known.without_options(sample.kwargs)
        Case(op, function, sample, sample.output_process_fn_grad).compare_values(rtol, atol)
        if gradients and op.name not in known.NO_GRADIENT:
            second = op.supports_gradgrad and i < 4 and label(op) not in known.NO_SECOND
            case = Case(op, function, sample, sample.output_process_fn_grad)
            case.compare_gradients(100 * rtol, rtol, second)


@pytest.mark.parametrize("op", [op for op in THERE if torch.float64 in op.dtypes], ids=label)
def test_values_and_gradients(op: Any) -> None:
    compare(op, torch.float64, FEW)


@pytest.mark.parametrize("op", [op for op in THERE if torch.float32 in op.dtypes], ids=label)
def test_float32(op: Any) -> None:
    compare(op, torch.float32, FEW)


@pytest.mark.parametrize("op", [op for op in THERE if torch.int64 in op.dtypes], ids=label)
def test_whole_numbers(op: Any) -> None:
    compare(op, torch.int64, FEW)


@pytest.mark.parametrize("op", [op for op in THERE if torch.bool in op.dtypes], ids=label)
def test_truth_values(op: Any) -> None:
    compare(op, torch.bool, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("op", [op for op in THERE if torch.float64 in op.dtypes], ids=label)
def test_all_samples(op: Any) -> None:
    compare(op, torch.float64, None)


def test_what_is_not_there_has_its_reason() -> None:
    missing = sorted({op.name for op in op_db if resolve(op.name) is None})
    assert [name for name in missing if known.reason_not_there(name) is None] == []


def test_no_reason_outlives_its_cause() -> None:
    """What openbook has by now needs no reason for not having it."""
    meant = {op.name for op in THERE if known.reason_not_there(op.name)}
    assert meant == set()
