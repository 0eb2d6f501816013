"""L-BFGS: Newton's method with a curvature remembered from the last steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from openbook.errors import InputError
from openbook.optim.bucket import Kept
from openbook.optim.line_search import Trial, strong_wolfe
from openbook.optim.optimizer import Optimizer
from openbook.optim.options import require
from openbook.tensor.autograd import enable_grad
from openbook.tensor.tensor import Tensor

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Newton steps whose inverse Hessian is built from the last gradients (Nocedal 1980), as PyTorch does.

    Each `step(closure)` makes up to `max_iter` iterations and calls the closure up to `max_eval` times (5/4 of `max_iter`
    if not given). `line_search_fn="strong_wolfe"` searches for each step's length; without it the length is `lr`. It is for
    losses that are the same at each call: whole data, no dropout. There is one group of parameters.
    """

    formula = "p - t*H*g"
    numbers: ClassVar[dict[str, Any]] = {}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ):
        options = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, options)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Take the one group of parameters there is."""
        if self.param_groups:
            raise InputError("L-BFGS has one group of parameters", where="LBFGS", do="put all parameters in one list")
        super().add_param_group(param_group)

    def _check(self, group: dict[str, Any]) -> None:
        for name in ("lr", "max_iter", "max_eval", "tolerance_grad", "tolerance_change"):
            require(group, name)
        require(group, "history_size", low=1)
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise InputError(
                f"line_search_fn={group['line_search_fn']!r} is unknown",
                where="LBFGS",
                do='choose "strong_wolfe" or None',
            )

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Iterate with a closure that clears the gradients, computes the loss, calls backward() and returns the loss.

        Returns the loss of its first call, before anything has moved.
        """
        if closure is None:
            raise InputError("L-BFGS computes the loss several times in one step", do="call step(closure)")
        (group,) = self.param_groups
        first = group["params"][0]
        numbers, arrays = self._kept.get(first, ({"func_evals": 0, "n_iter": 0}, {}))
        lists = {name: list(value) for name, value in arrays.items() if isinstance(value, list)}
        run = _Run(closure, group, {**numbers, **arrays, **lists})
        result = run.iterate()
        arrays = {name: run.memory[name] for name in _ARRAYS if name in run.memory}
        self._kept[first] = ({name: value for name, value in run.memory.items() if name not in arrays}, arrays)
        return result

    def _pack(self, numbers: dict[str, Any], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
        return {**numbers, **arrays}

    def _unpack(self, parameter: Tensor, entry: dict[str, Any], group: dict[str, Any]) -> Kept:
        entry.pop("al", None)  # scratch memory that PyTorch keeps with the rest
        numbers = {name: value.item() for name, value in entry.items() if name not in _ARRAYS}
        if not numbers.keys() >= {"func_evals", "n_iter"}:
            raise InputError("this is no state of L-BFGS", where="LBFGS.load_state_dict")
        dtype = np.result_type(*(p.data for p in group["params"]))
        return numbers, {name: _copied(entry[name], dtype) for name in _ARRAYS if name in entry}


TOO_NEAR = 1e-9  # a line search ends when its bracket moves no parameter by more
_ARRAYS = ("d", "old_dirs", "old_stps", "ro", "prev_flat_grad")


def _copied(value: Any, dtype: Any) -> Any:
    if not isinstance(value, list):
        return np.array(value, dtype)
    return [part.item() if part.ndim == 0 else np.array(part, dtype) for part in value]


class _Run:
    """One call of `step`: `memory` is what lasts from call to call, under PyTorch's names."""

    def __init__(self, closure: Callable[[], Any], group: dict[str, Any], memory: dict[str, Any]):
        self.closure, self.group, self.params, self.memory = closure, group, group["params"], memory
        self.evaluations = 0

    def iterate(self) -> Any:
        """Iterate until something says it is enough; return what the closure first returned."""
        memory, group = self.memory, self.group
        result, loss, g = self._evaluate()
        if np.abs(g).max(initial=0.0) <= group["tolerance_grad"]:
            return result
        for i in range(group["max_iter"]):
            memory["n_iter"] += 1
            self._direct(g)
            memory["prev_flat_grad"], memory["prev_loss"] = g, loss
            d = memory["d"]
            first = memory["n_iter"] == 1
            memory["t"] = float(min(1.0, 1.0 / np.abs(g).sum()) * group["lr"] if first else group["lr"])
            slope = float(g @ d)
            if slope > -group["tolerance_change"]:
                break
            last = i == group["max_iter"] - 1
            loss, g = self._advance(Trial(0.0, loss, g, slope), last)
            if last or self.evaluations >= group["max_eval"] or self._settled(loss, g):
                break
        return result

    def _settled(self, loss: float, g: np.ndarray) -> bool:
        """Whether the gradient is small, or the step was, or the loss has hardly changed."""
        memory, least = self.memory, self.group["tolerance_change"]
        return bool(
            np.abs(g).max() <= self.group["tolerance_grad"]
            or np.abs(memory["d"] * memory["t"]).max() <= least
            or abs(loss - memory["prev_loss"]) < least
        )

    def _advance(self, start: Trial, last: bool) -> tuple[float, np.ndarray]:
        """Go along the direction; the loss and gradient there (where we were, if nobody will ask for them)."""
        memory = self.memory
        if self.group["line_search_fn"] is None:
            self._add(memory["t"], memory["d"])
            return (start.loss, start.gradient) if last else self._evaluate()[1:]
        found = self._search(start)
        memory["t"] = found.t
        self._add(found.t, memory["d"])
        return found.loss, found.gradient

    def _search(self, start: Trial) -> Trial:
        """The point along the direction to go to; the parameters are left where they were."""
        d, places = self.memory["d"], [p.data.copy() for p in self.params]

        def evaluate(t: float) -> Trial:
            self._add(t, d)
            _, loss, g = self._evaluate()
            for parameter, place in zip(self.params, places, strict=True):
                parameter.data[...] = place
                parameter.changed_in_place()
            return Trial(t, loss, g, float(g @ d))

        most = self.group["max_eval"] - self.evaluations
        return strong_wolfe(evaluate, start, self.memory["t"], float(np.abs(d).max()), TOO_NEAR, most)

    def _evaluate(self) -> tuple[Any, float, np.ndarray]:
        """What the closure returns, that as a number, and all gradients as one flat array (zero where there is none)."""
        with enable_grad():
            result = self.closure()
        self.evaluations += 1
        self.memory["func_evals"] += 1
        gradients = [np.zeros_like(p.data) if p.grad is None else p.grad.data for p in self.params]
        return result, float(result), np.concatenate(gradients, axis=None)

    def _add(self, t: float, d: np.ndarray) -> None:
        """Move all parameters by t times their part of d."""
        offset = 0
        for parameter in self.params:
            size = parameter.data.size
            parameter.data += t * d[offset : offset + size].reshape(parameter.shape)
            parameter.changed_in_place()
            offset += size

    def _direct(self, g: np.ndarray) -> None:
        """Set the direction: downhill at first, later minus the inverse Hessian times the gradient."""
        memory = self.memory
        if memory["n_iter"] == 1:
            memory.update(d=-g, old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return
        self._remember(g - memory["prev_flat_grad"], memory["d"] * memory["t"])
        changes, steps, inverses = memory["old_dirs"], memory["old_stps"], memory["ro"]
        q = -g
        shares = []
        for y, s, ro in zip(reversed(changes), reversed(steps), reversed(inverses), strict=True):
            shares.append(float(s @ q) * ro)
            q -= shares[-1] * y
        q *= memory["H_diag"]
        for y, s, ro, share in zip(changes, steps, inverses, reversed(shares), strict=True):
            q += (share - float(y @ q) * ro) * s
        memory["d"] = q

    def _remember(self, y: np.ndarray, s: np.ndarray) -> None:
        """Keep the change of the gradient `y` over the step `s`, if the loss curves upwards along it."""
        memory = self.memory
        curvature = float(y @ s)
        if not curvature > 1e-10:
            return
        for name, value in (("old_dirs", y), ("old_stps", s), ("ro", 1.0 / curvature)):
            memory[name].append(value)
            del memory[name][: -self.group["history_size"]]
        memory["H_diag"] = curvature / float(y @ y)
