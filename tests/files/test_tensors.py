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
