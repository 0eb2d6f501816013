"""Names, arguments, their order and defaults of nn, optim and utils.data, beside PyTorch's own.

Every difference stands here once, with its reason; one that is gone must go from here too.
"""

from __future__ import annotations

import inspect
import typing
from typing import Any

import pytest

from openbook import nn, optim
from openbook.utils import data

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.torch

Found = dict[str, str]

ONE_PROCESS = "one process and one device: nothing to spread over several"
OLD = "PyTorch itself advises against it"
RARE = "rarely used, and not written yet"
OTHER_NUMBERS = "sparse tensors and quantized numbers do not exist here"

MISSING_FROM_NN: Found = {
    "Buffer": "register_buffer says the same",
    "Container": OLD,
    "CrossMapLRN2d": OLD,
    "DataParallel": ONE_PROCESS,
    "FractionalMaxPool2d": RARE,
    "FractionalMaxPool3d": RARE,
    "LinearCrossEntropyLoss": RARE,
    "LinearCrossEntropyOptions": RARE,
    "NLLLoss2d": OLD,
    "RNNCellBase": "nobody builds on it",
    "SyncBatchNorm": ONE_PROCESS,
    "UninitializedBuffer": "buffers of lazy layers have a size from the start",
}
DIFFERENT_IN_NN: Found = {
    "Hardtanh.__init__": "min_value and max_value are PyTorch's older names of min_val and max_val",
}

MODULE: Found = {
    "to": "arguments by position are told apart by what they are, as PyTorch's are by overloads",
    "state_dict": "its arguments are given by name: PyTorch advises against positions",
    "ipu": ONE_PROCESS,
    "mtia": ONE_PROCESS,
    "xpu": ONE_PROCESS,
    "share_memory": ONE_PROCESS,
    "register_backward_hook": OLD,
}

INIT: Found = dict.fromkeys(
    (
        "constant", "dirac", "eye", "kaiming_normal", "kaiming_uniform", "normal", "orthogonal", "sparse", "uniform",
        "xavier_normal", "xavier_uniform",
    ),
    OLD,
)  # fmt: skip

NN_UTILS: Found = {
    "clip_grad_norm": OLD,
    "convert_conv2d_weight_memory_format": "memory has one order here",
    "convert_conv3d_weight_memory_format": "memory has one order here",
    "fuse_conv_bn_eval": RARE,
    "fuse_conv_bn_weights": RARE,
    "fuse_linear_bn_eval": RARE,
    "fuse_linear_bn_weights": RARE,
    "skip_init": RARE,
}

PARAMETRIZE: Found = {"transfer_parametrizations_and_params": RARE}
PARAMETRIZATIONS: Found = {"orthogonal": RARE}

OPTIM: Found = {
    "Adafactor": RARE,
    "Muon": RARE,
    "SparseAdam": OTHER_NUMBERS,
    "LBFGS.step": "a step without a closure is refused with an explanation",
}
OPTIMIZER: Found = {"profile_hook_step": "PyTorch's own profiler"}

PIPES = "data pipes belong to another package now"
DATA: Found = {
    "BatchSampler.__init__": "drop_last may be left out",
    "random_split": "no generator means that of manual_seed, as PyTorch's default does",
    "DistributedSampler": ONE_PROCESS,
    "_DatasetKind": "private",
    **dict.fromkeys(
        (
            "DFIterDataPipe", "DataChunk", "IterDataPipe", "MapDataPipe", "argument_validation", "functional_datapipe",
            "guaranteed_datapipes_determinism", "non_deterministic", "runtime_validation",
            "runtime_validation_disabled",
        ),
        PIPES,
    ),
}  # fmt: skip


def arguments(function: Any) -> list[tuple[str, str, Any]] | None:
    """Name, kind and default of each argument; None where it only passes on what it is given."""
    overloads = typing.get_overloads(function) if inspect.isfunction(function) else []
    try:
        parameters = list(inspect.signature(overloads[0] if overloads else function).parameters.values())
    except (TypeError, ValueError):
        return None
    parameters = [p for p in parameters if p.name not in ("self", "cls")]
    if parameters and all(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        return None
    return [(p.name, p.kind.name, p.default) for p in parameters]


def alike(mine: Any, other: Any) -> bool:
    """Whether two signatures say the same; the same function by default counts as the same."""
    own, truth = arguments(mine), arguments(other)
    if truth is None:
        return True
    return own is not None and len(own) == len(truth) and all(map(_same, own, truth))


def _same(own: tuple[str, str, Any], truth: tuple[str, str, Any]) -> bool:
    defaults = own[2] == truth[2] or (callable(own[2]) and callable(truth[2]))
    kinds = own[1] == truth[1] or {own[1], truth[1]} == {"POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD"}
    return own[0] == truth[0] and kinds and defaults


def differences(ours: Any, theirs: Any, names: list[str], members: tuple[str, ...] = ()) -> set[str]:
    """What is missing, and whose signature differs: the thing's own, or that of a member of a class."""
    found = set()
    for name in names:
        truth, own = getattr(theirs, name), getattr(ours, name, None)
        if own is None:
            found.add(name)
        elif inspect.isclass(truth):
            pairs = ((m, getattr(own, m, None), getattr(truth, m, None)) for m in ("__init__", *members))
            found |= {f"{name}.{m}" for m, a, b in pairs if a and b and not alike(a, b)}
        elif not alike(own, truth):
            found.add(name)
    return found


def public(library: Any, kind: Any) -> list[str]:
    return [name for name in dir(library) if not name.startswith("_") and kind(getattr(library, name))]


def test_every_module_of_pytorchs() -> None:
    found = differences(nn, torch.nn, public(torch.nn, inspect.isclass), ("forward",))
    assert found == MISSING_FROM_NN.keys() | DIFFERENT_IN_NN.keys()


@pytest.mark.parametrize(("ours", "theirs", "known"), [
    (nn.Module, torch.nn.Module, MODULE), (nn.init, torch.nn.init, INIT), (nn.utils, torch.nn.utils, NN_UTILS),
    (nn.utils.rnn, torch.nn.utils.rnn, {}), (nn.utils.parametrize, torch.nn.utils.parametrize, PARAMETRIZE),
    (nn.utils.parametrizations, torch.nn.utils.parametrizations, PARAMETRIZATIONS), (optim.Optimizer, torch.optim.Optimizer, OPTIMIZER),
    (optim.swa_utils, torch.optim.swa_utils, {}),
])  # fmt: skip
def test_every_function_and_method_of_pytorchs(ours: Any, theirs: Any, known: Found) -> None:
    names = [
        n
        for n in public(theirs, inspect.isroutine)
        if str(getattr(getattr(theirs, n), "__module__", "")).startswith("torch")
    ]
    assert differences(ours, theirs, [n for n in names if n not in HELPERS]) == known.keys()


# PyTorch's own, without an underscore
HELPERS = {
    "bind", "copy_method_params", "get_swap_module_params_on_conversion", "invert_permutation",
    "is_opaque_reference_type", "is_traceable_wrapper_subclass",
}  # fmt: skip


def test_every_optimizer_and_schedule_of_pytorchs() -> None:
    assert differences(optim, torch.optim, public(torch.optim, inspect.isclass), ("step",)) == OPTIM.keys()
    schedules = torch.optim.lr_scheduler
    assert differences(optim.lr_scheduler, schedules, schedules.__all__, ("step",)) == set()


def test_every_part_of_pytorchs_data() -> None:
    assert differences(data, torch.utils.data, torch.utils.data.__all__) == DATA.keys()
