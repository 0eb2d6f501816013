"""Named tensors to safetensors files and back; what is wrong with a file is said."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import openbook as ob
from openbook import nn
from openbook.errors import DTypeError, FileError


def test_a_state_comes_back_bit_for_bit(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    net(ob.randn(5, 3))
    ob.save(net.state_dict(), tmp_path / "net.safetensors")
    again = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    again.load_state_dict(ob.load(tmp_path / "net.safetensors"))
    for name, value in net.state_dict().items():
        found = again.state_dict()[name]
        assert found.dtype == value.dtype and (found == value).all()


def test_all_dtypes_and_orders_of_memory(tmp_path: Path) -> None:
    given = {
        k: np.arange(6).reshape(2, 3).astype(k).T for k in ("float16", "float32", "float64", "int64", "uint8", "bool")
    }
    ob.save(given, tmp_path / "x.safetensors")
    for name, tensor in ob.load(tmp_path / "x.safetensors").items():
        np.testing.assert_array_equal(tensor.data, given[name])
        assert tensor.data.flags.writeable


def test_bad_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no file"):
        ob.load(tmp_path / "none.safetensors")
    (tmp_path / "p.pt").write_bytes(pickle.dumps({"a": 1}, protocol=2))
    with pytest.raises(FileError, match="pickle"):
        ob.load(tmp_path / "p.pt")
    ob.save({"a": ob.ones(100)}, tmp_path / "whole.safetensors")
    whole = (tmp_path / "whole.safetensors").read_bytes()
    for part in (b"", whole[:4], whole[:40], whole[:-7], b"x" * 100):
        (tmp_path / "part.safetensors").write_bytes(part)
        with pytest.raises(FileError, match="safetensors"):
            ob.load(tmp_path / "part.safetensors")
    with pytest.raises(DTypeError):
        ob.save({"a": "text"}, tmp_path / "text.safetensors")
    with pytest.raises(FileError):
        ob.save({"a": ob.ones(1)}, tmp_path / "nowhere" / "x.safetensors")


@pytest.mark.torch
def test_pytorch_reads_what_is_saved_and_the_other_way(tmp_path: Path) -> None:
    """Tied weights, memory in another order, half precision, numbers without axes: the same entries on both sides."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from safetensors.torch import load_file, save_file

    weight = np.arange(12, dtype=np.float32).reshape(3, 4)
    net = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4), nn.BatchNorm1d(4)).half()
    net[1].weight = net[0].weight  # tied
    state = {**net.state_dict(), "across": ob.tensor(weight).T, "part": ob.tensor(weight)[:, ::2]}
    ob.save(state, tmp_path / "ours.safetensors")
    read = load_file(tmp_path / "ours.safetensors")
    assert set(read) == set(state)
    for name, value in state.items():
        assert str(read[name].dtype) == f"torch.{value.dtype}" and tuple(read[name].shape) == value.shape
        np.testing.assert_array_equal(read[name].numpy(), value.data)
    theirs = torch.nn.Sequential(
        torch.nn.Linear(4, 4, bias=False), torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4)
    ).half()
    theirs.load_state_dict({name: read[name] for name in net.state_dict()})

    other = {"across": torch.tensor(weight).t().contiguous(), "half": torch.ones(3, dtype=torch.float16) / 3,
             "count": torch.tensor(7), "mask": torch.tensor([True, False]), "none": torch.empty(0, 2)}  # fmt: skip
    save_file(other, tmp_path / "theirs.safetensors")
    for name, value in ob.load(tmp_path / "theirs.safetensors").items():
        np.testing.assert_array_equal(value.data, other[name].numpy())
        assert f"torch.{value.dtype}" == str(other[name].dtype) and value.shape == tuple(other[name].shape)
    save_file({"weight": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "bf.safetensors")
    with pytest.raises(FileError, match="kind BF16"):
        ob.load(tmp_path / "bf.safetensors")


def test_an_old_file_survives_a_save_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.safetensors"
    ob.save({"a": ob.ones(3)}, path)
    with pytest.raises(DTypeError):
        ob.save({"a": ob.zeros(3), "b": "text"}, path)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("openbook.files.whole.os.replace", full)
    with pytest.raises(FileError, match="No space"):
        ob.save({"a": ob.zeros(3)}, path)
    assert ob.load(path)["a"].tolist() == [1.0, 1.0, 1.0]
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]
