"""Functions of layers that PyTorch's own samples do not reach, beside PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.errors import InputError, ShapeError
from openbook.nn import functional as F

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]
TF = torch.nn.functional


def pair(*shape: int) -> tuple[Any, Any]:
    x = np.random.default_rng(3).standard_normal(shape)
    return ob.tensor(x), torch.tensor(x)


def require_equal(mine: Any, theirs: Any) -> None:
    np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("corners", [True, False])
@pytest.mark.parametrize("size", [(3, 4), (9, 2), (5, 7), (1, 1)])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_smoothed_interpolation(mode: str, size: tuple[int, int], corners: bool) -> None:
    x, t = pair(2, 3, 5, 7)
    options = {"size": size, "mode": mode, "align_corners": corners, "antialias": True}
    require_equal(F.interpolate(x, **options), TF.interpolate(t, **options))


@pytest.mark.parametrize("recompute", [True, False])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "nearest", "nearest-exact"])
def test_a_factor_that_gives_no_whole_size(mode: str, recompute: bool) -> None:
    x, t = pair(1, 2, 5, 7)
    options = {"scale_factor": 1.7, "mode": mode, "recompute_scale_factor": recompute}
    require_equal(F.interpolate(x, **options), TF.interpolate(t, **options))


def test_interpolation_says_what_it_cannot_do() -> None:
    x = ob.zeros(1, 2, 5, 7)
    for options in ({"mode": "linear"}, {"mode": "cubic"}, {"mode": "nearest", "align_corners": True}, {}):
        with pytest.raises(InputError):
            F.interpolate(x, **({"size": (2, 2), **options} if options else {}))


@pytest.mark.parametrize("corners", [True, False])
def test_affine_grid(corners: bool) -> None:
    for theta, size in ((pair(2, 2, 3), (2, 1, 4, 5)), (pair(2, 3, 4), (2, 1, 3, 4, 5))):
        require_equal(F.affine_grid(theta[0], size, corners), TF.affine_grid(theta[1], size, align_corners=corners))


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_lp_pool(power: float) -> None:
    x, t = pair(2, 3, 8)
    require_equal(F.lp_pool1d(x.abs(), power, 3, 2), TF.lp_pool1d(t.abs(), power, 3, 2))
    x, t = pair(2, 3, 8, 6)
    require_equal(F.lp_pool2d(x.abs(), power, 2), TF.lp_pool2d(t.abs(), power, 2))


def test_places_of_pooled_entries_that_are_all_infinite() -> None:
    """Padding is never named, even where it is as large as what it pads."""
    x = np.full((1, 1, 4), -np.inf)
    mine = F.max_pool1d(ob.tensor(x), 3, 2, 1, return_indices=True)
    theirs = TF.max_pool1d(torch.tensor(x), 3, 2, 1, return_indices=True)
    np.testing.assert_array_equal(mine[1].numpy(), theirs[1].numpy())


def test_uneven_windows_name_their_places() -> None:
    x, t = pair(2, 3, 7, 5)
    mine = F.adaptive_max_pool2d(x, (3, 2), return_indices=True)
    theirs = TF.adaptive_max_pool2d(t, (3, 2), return_indices=True)
    require_equal(mine[0], theirs[0])
    np.testing.assert_array_equal(mine[1].numpy(), theirs[1].numpy())


@pytest.mark.parametrize("norm", [1.0, 2.0, 3.0])
def test_rows_that_are_too_long_are_shortened_where_they_lie(norm: float) -> None:
    (w, t), places = pair(5, 3), [1, 4, 1]
    require_equal(
        F.embedding(ob.tensor(places), w, None, 0.5, norm), TF.embedding(torch.tensor(places), t, None, 0.5, norm)
    )
    require_equal(w, t)


def test_ctc_loss_after_log_softmax() -> None:
    """Through log_softmax the gradient is PyTorch's too."""
    x, t = pair(12, 3, 5)
    x.requires_grad_()
    t.requires_grad_()
    targets, times, lengths = [[1, 2, 2, 4], [3, 3, 3, 1], [1, 0, 0, 0]], [12, 10, 7], [4, 4, 1]
    mine = F.ctc_loss(F.log_softmax(x, -1), ob.tensor(targets), ob.tensor(times), ob.tensor(lengths))
    theirs = TF.ctc_loss(TF.log_softmax(t, -1), torch.tensor(targets), torch.tensor(times), torch.tensor(lengths))
    mine.backward()
    theirs.backward()
    require_equal(mine.detach(), theirs.detach())
    require_equal(x.grad, t.grad)


def test_a_target_too_long_for_its_input() -> None:
    x = F.log_softmax(ob.tensor(np.zeros((2, 1, 3))), -1)
    arguments = (ob.tensor([[1, 1, 2]]), [2], [3])
    assert F.ctc_loss(x, *arguments).item() == np.inf
    assert F.ctc_loss(x, *arguments, zero_infinity=True).item() == 0


def test_grids_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match="grid"):
        F.grid_sample(ob.zeros(1, 2, 4, 4), ob.zeros(1, 3, 3, 3))


@pytest.mark.parametrize("name", ["logaddexp", "logaddexp2"])
def test_second_slopes_of_sums_of_exponentials_where_both_are_equal(name: str) -> None:
    """An equal pair is no kink, unless both are infinite; and those raise no warning."""
    values = [[1.0, 2.0, 0.5, -np.inf, -np.inf], [1.0, 0.0, 0.5, -np.inf, 3.0]]
    with np.errstate(all="raise"):
        x, y = (ob.tensor(v, dtype=ob.float64, requires_grad=True) for v in values)
        slope = ob.autograd.grad(getattr(ob, name)(x, y).sum(), x, create_graph=True)[0]
        mine = ob.autograd.grad(slope[:3].sum(), x)[0]
    x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in values)
    other = torch.autograd.grad(getattr(torch, name)(x, y).sum(), x, create_graph=True)[0]
    require_equal(mine[:3], torch.autograd.grad(other[:3].sum(), x)[0][:3])
    assert slope.tolist()[3:] == [0.5, 0.0]  # PyTorch says NaN where infinities meet
