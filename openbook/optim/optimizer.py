"""What all optimisers share: parameter groups, clearing gradients, stepping, and the state that lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from openbook.errors import DTypeError, InputError
from openbook.optim.bucket import Bucket, Kept, Workspace, fill
from openbook.optim.checkpoint import packed, unpacked
from openbook.optim.hooks import METHODS, Hooked
from openbook.optim.options import members, plain
from openbook.tensor.autograd import enable_grad, last_change, now
from openbook.tensor.tensor import Tensor

__all__ = ["Optimizer"]


class Optimizer(Hooked):
    """Subclasses say in `begin` and `update` what a step does; everything else is here.

    `formula` is the rule as people read it. `param_groups` hold parameters with their options, as in PyTorch. `numbers`
    are kept per parameter and start with these values; the arrays kept per parameter are named by `fills`.
    """

    formula: str = ""
    numbers: ClassVar[dict[str, Any]] = {"step": 0}

    def __init__(self, params: Iterable[Any], defaults: Mapping[str, Any]):
        if isinstance(params, Tensor):
            raise DTypeError("an optimiser takes a list of parameters, not one tensor", do="write [parameter]")
        groups = list(params)
        if not groups:
            raise InputError(
                "the optimiser got no parameters", do="pass model.parameters(), fresh (it is used up once)"
            )
        self.defaults = dict(defaults)
        self.param_groups: list[dict[str, Any]] = []
        self._kept: dict[Tensor, Kept] = {}
        self._plans: dict[int, _Plan] = {}
        self._spaces: dict[np.dtype, Workspace] = {}
        for group in groups if isinstance(groups[0], Mapping) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Optimise more parameters, with options of their own where given."""
        parameters = members(param_group, self.param_groups)
        group = {name: plain(value) for name, value in {**self.defaults, **param_group, **parameters}.items()}
        self._check(group)
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients: backward() adds to what is there. Zeros in place of None where `set_to_none` is False."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if set_to_none or parameter.grad is None:
                    parameter.grad = None
                else:
                    parameter.grad = Tensor(np.zeros_like(parameter.grad.data))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient; the others, and what is kept of them, stay as they are.

        A closure that clears the gradients, computes the loss, calls backward() and returns the loss is called first; its
        loss is returned.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for index, group in enumerate(self.param_groups):
            plan = self._plan(index, group)
            for bucket in plan.buckets:
                bucket.move(self.begin, self.update, group)
            plan.changed_in_place()
        return loss

    # --- what subclasses say -----------------------------------------------------------------------------------

    def fills(self, group: dict[str, Any]) -> dict[str, float]:
        """The arrays kept per parameter under these options, and the value they start with."""
        return {}

    def begin(self, numbers: dict[str, Any], group: dict[str, Any]) -> tuple[float, ...]:
        """Count a step in the kept `numbers`; return the numbers that all entries share in it."""
        raise TypeError("an optimiser says what a step begins with in `begin`")

    def update(
        self,
        p: np.ndarray,
        g: np.ndarray,
        state: dict[str, np.ndarray],
        shared: tuple[np.ndarray, ...],
        group: dict[str, Any],
        work: tuple[np.ndarray, ...],
    ) -> None:
        """Move the flat array `p` by its gradient `g`, in place.

        `state` holds the arrays named by `fills`, changed in place; `shared` what `begin` returned; `work` three arrays to
        write into. `g` is only read: it may be the gradient itself.
        """
        raise TypeError("an optimiser says what it does in `update`")

    def _check(self, group: dict[str, Any]) -> None:
        """Raise an InputError for options out of range."""

    # --- what is kept ------------------------------------------------------------------------------------------

    @property
    def state(self) -> Mapping[Tensor, Mapping[str, Any]]:
        """What is kept of each parameter, to look at: numbers, and arrays that go on living. See `load_state_dict`."""
        return MappingProxyType({p: MappingProxyType({**kept[0], **kept[1]}) for p, kept in self._kept.items()})

    def state_dict(self) -> dict[str, Any]:
        """A copy of what is kept, by the parameters' indices, and of the groups' options: PyTorch's names and layout."""
        order = {p: i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        groups = [
            {**group, "params": [order[parameter] for parameter in group["params"]]} for group in self.param_groups
        ]
        kept = {order[p]: self._pack(*kept) for p, kept in self._kept.items() if p in order}
        return {"state": {index: packed(entry) for index, entry in sorted(kept.items())}, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave, here or in PyTorch (tensors as arrays or as they are).

        The options of the groups are taken over, the parameters stay; nothing is changed unless everything fits.
        """
        groups, entries = unpacked(state_dict, self.param_groups)
        kept: dict[Tensor, Kept] = {}
        for group in groups:
            self._check(group)
            kept |= {p: self._unpack(p, entries[p], group) for p in group["params"] if entries.get(p)}
        self.param_groups, self._kept, self._plans = groups, kept, {}

    def _pack(self, numbers: dict[str, Any], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
        """One parameter's state under PyTorch's names; there, the numbers are tensors too, and steps are float32."""
        return {**{name: np.array(n, np.float32 if name == "step" else None) for name, n in numbers.items()}, **arrays}

    def _unpack(self, parameter: Tensor, entry: dict[str, Any], group: dict[str, Any]) -> Kept:
        """What `_pack` gave, checked and turned back."""
        missing = sorted((self.numbers.keys() | self.fills(group).keys()) - entry.keys())
        if missing:
            raise InputError(
                f"the state of a parameter lacks {', '.join(missing)}",
                where=f"{type(self).__name__}.load_state_dict",
                do="load a state of the same optimiser with the same options",
            )
        numbers = {name: entry.pop(name).item() for name in self.numbers}
        return numbers, {name: _fitting(name, value, parameter) for name, value in entry.items()}

    def __getstate__(self) -> dict[str, Any]:
        kept = {name: value for name, value in self.__dict__.items() if name not in METHODS}
        return {**kept, "_hooks": None, "_plans": {}, "_spaces": {}}  # a copy has other arrays, and gathers them anew

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {value}" for name, value in sorted(group.items()) if name != "params"]
        return "\n".join([*lines, ")"])

    # --- gathering ---------------------------------------------------------------------------------------------

    def _plan(self, index: int, group: dict[str, Any]) -> _Plan:
        """The buckets of a group's parameters that have gradients now: last step's, unless something has changed."""
        plan, fills = self._plans.get(index), self.fills(group)
        if plan is None or not plan.fits(group["params"], fills):
            params = [parameter for parameter in group["params"] if parameter.grad is not None]
            for parameter in params:
                self._ready(parameter, fills)
            plan = _Plan(params, fills, fill(params, self._kept, tuple(fills), self._spaces))
            self._plans[index] = plan
        return plan

    def _ready(self, parameter: Tensor, fills: dict[str, float]) -> None:
        """Begin to keep what a parameter still lacks."""
        _, arrays = self._kept.setdefault(parameter, (dict(self.numbers), {}))
        for name, value in fills.items():
            if name not in arrays:
                arrays[name] = np.full_like(parameter.data, value, order="C", subok=False)


class _Plan:
    """Which buckets hold a group's parameters, and what must not have changed for that to go on."""

    __slots__ = ("arrays", "buckets", "fills", "params")

    def __init__(self, params: list[Tensor], fills: dict[str, float], buckets: list[Bucket]):
        self.params, self.fills, self.buckets = params, fills, buckets
        self.arrays = [parameter.data for parameter in params]

    def fits(self, members: list[Tensor], fills: dict[str, float]) -> bool:
        """Whether the same members have gradients, in the memory they had, and the same is kept of them."""
        known = zip(self.params, self.arrays, strict=True)
        for parameter in members:
            if parameter.grad is not None:
                last, array = next(known, (None, None))
                if last is not parameter or array is not parameter.data:
                    return False
        return next(known, None) is None and fills == self.fills

    def changed_in_place(self) -> None:
        """Say that all of them were written to, at once."""
        last_change[0] = moment = now()
        for parameter in self.params:
            parameter.changed[0] = moment


def _fitting(name: str, value: np.ndarray, parameter: Tensor) -> np.ndarray:
    if value.shape != parameter.shape:
        raise InputError(
            f"{name} has shape {value.shape}, its parameter {parameter.shape}",
            where="load_state_dict",
            do="pass the optimiser the parameters in the order they had when the state was saved",
        )
    return np.array(value, parameter.dtype)
