"""What looks at the same memory and what is a copy: written to, beside PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import openbook as ob

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.torch

# From a tensor of shape (2, 3, 4) or (3, 4); `lib` is the library the tensor is of.
MOVES: dict[str, Callable[[Any, Any], Any]] = {
    "reshape": lambda x, lib: x.reshape(6, 4),
    "reshape of a transpose": lambda x, lib: x.transpose(0, 1).reshape(6, 4),
    "reshape to itself": lambda x, lib: x.reshape(2, 3, 4),
    "view": lambda x, lib: x.view(4, 6),
    "view_as": lambda x, lib: x.view_as(lib.zeros(6, 4)),
    "reshape_as": lambda x, lib: x.reshape_as(lib.zeros(6, 4)),
    "flatten": lambda x, lib: x.flatten(),
    "flatten of a transpose": lambda x, lib: x.transpose(0, 2).flatten(),
    "ravel": lambda x, lib: x.ravel(),
    "unflatten": lambda x, lib: x.unflatten(2, (2, 2)),
    "transpose": lambda x, lib: x.transpose(0, 2),
    "swapaxes": lambda x, lib: x.swapaxes(0, 1),
    "t": lambda x, lib: x[0].t(),
    "T": lambda x, lib: x[0].T,
    "mT": lambda x, lib: x.mT,
    "permute": lambda x, lib: x.permute(2, 0, 1),
    "movedim": lambda x, lib: x.movedim(0, 2),
    "squeeze": lambda x, lib: x[:1].squeeze(0),
    "unsqueeze": lambda x, lib: x.unsqueeze(1),
    "a number": lambda x, lib: x[1],
    "a slice": lambda x, lib: x[:, 1:, ::2],
    "None and ...": lambda x, lib: x[None, ..., 0],
    "places": lambda x, lib: x[[1, 0]],
    "a tensor of places": lambda x, lib: x[:, lib.tensor([0, 2])],
    "a mask": lambda x, lib: x[x > 3],
    "narrow": lambda x, lib: x.narrow(1, 1, 2),
    "select": lambda x, lib: x.select(2, 1),
    "index_select": lambda x, lib: x.index_select(0, lib.tensor([1])),
    "unbind": lambda x, lib: x.unbind(1)[1],
    "split": lambda x, lib: x.split(2, 2)[1],
    "split_with_sizes": lambda x, lib: x.split_with_sizes([1, 3], 2)[1],
    "chunk": lambda x, lib: x.chunk(2, 2)[1],
    "tensor_split": lambda x, lib: x.tensor_split(3, 2)[0],
    "hsplit": lambda x, lib: x.hsplit(3)[1],
    "vsplit": lambda x, lib: x.vsplit(2)[1],
    "dsplit": lambda x, lib: x.dsplit(2)[1],
    "diagonal": lambda x, lib: x.diagonal(0, 1, 2),
    "diag of a matrix": lambda x, lib: x[0].diag(),
    "unfold": lambda x, lib: x.unfold(2, 2, 2),
    "detach": lambda x, lib: x.detach(),
    "clone": lambda x, lib: x.clone(),
    "contiguous": lambda x, lib: x.contiguous(),
    "contiguous of a transpose": lambda x, lib: x.transpose(0, 1).contiguous(),
    "to its own dtype": lambda x, lib: x.to(lib.float64),
    "to another dtype": lambda x, lib: x.to(lib.float32),
    "double": lambda x, lib: x.double(),
    "flip": lambda x, lib: x.flip(0),
    "roll": lambda x, lib: x.roll(1, 0),
    "repeat": lambda x, lib: x.repeat(1, 1, 1),
    "tile": lambda x, lib: x.tile(1),
    "rot90 by 0": lambda x, lib: x.rot90(0),
    "rot90 by 2": lambda x, lib: x.rot90(2),
    "tril": lambda x, lib: x.tril(),
    "atleast_1d": lambda x, lib: lib.atleast_1d(x),
    "atleast_3d": lambda x, lib: lib.atleast_3d(x[0]),
    "expand": lambda x, lib: x[:1].expand(1, 3, 4),
    "expand_as": lambda x, lib: x.expand_as(x),
    "broadcast_to": lambda x, lib: x.broadcast_to((2, 3, 4)),
    "positive": lambda x, lib: x.positive(),
    "abs": lambda x, lib: x.abs(),
    "real": lambda x, lib: x.real,
    "take": lambda x, lib: x.take(lib.tensor([0, 1])),
    "cat of one": lambda x, lib: lib.cat([x]),
    "dropout outside of training": lambda x, lib: lib.nn.functional.dropout(x, 0.5, False),
    "cartesian_prod of one": lambda x, lib: lib.cartesian_prod(x[0, 0]),
    "meshgrid": lambda x, lib: lib.meshgrid(x[0, 0], indexing="ij")[0],
}


@pytest.mark.parametrize("name", MOVES)
def test_writing_into_the_result(name: str) -> None:
    """The source changes in both libraries, or in neither, and to the same numbers."""
    start = np.arange(24.0).reshape(2, 3, 4)
    mine, theirs = ob.tensor(start), torch.tensor(start)
    a, b = MOVES[name](mine, ob), MOVES[name](theirs, torch)
    np.testing.assert_array_equal(a.detach().numpy(), b.numpy())
    a[...] = -1.0
    b[...] = -1.0
    np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


def test_some_write_through_and_some_do_not() -> None:
    """The table tells something: of both kinds there are several."""
    written = 0
    for move in MOVES.values():
        x = torch.arange(24.0, dtype=torch.float64).reshape(2, 3, 4)
        move(x, torch)[...] = -1.0
        written += bool((x == -1).any())
    assert 20 < written < len(MOVES) - 10


@pytest.mark.parametrize("move", ["a slice", "transpose", "diagonal", "unfold", "expand_as"])
def test_a_changed_source_shows_in_the_view(move: str) -> None:
    start = np.arange(24.0).reshape(2, 3, 4)
    mine, theirs = ob.tensor(start), torch.tensor(start)
    a, b = MOVES[move](mine, ob), MOVES[move](theirs, torch)
    mine.mul_(2.0)
    theirs.mul_(2.0)
    np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_what_is_repeated_cannot_be_written_to() -> None:
    """PyTorch refuses it too: one entry would stand for several."""
    with pytest.raises(RuntimeError):
        torch.zeros(1, 3).expand(2, 3).add_(1.0)
    with pytest.raises(ValueError, match="read-only"):
        ob.zeros(1, 3).expand(2, 3).add_(1.0)
