"""The examples trained beside PyTorch: the same text with other imports, the same initial weights, the same batches."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import openbook as ob

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.torch

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TOLERANCE, STEPS = 1e-4, 100


def example(name: str, library: str) -> Any:
    """An example as a module, its imports as they stand or PyTorch's."""
    source = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    if library == "torch":
        source = source.replace("import openbook as torch", "import torch").replace("import openbook.", "import torch.")
    module = ModuleType(name)
    exec(compile(source, f"{name}.py", "exec"), module.__dict__)
    return module


def both(name: str, tmp_path: Path, *arguments: Any) -> tuple[Any, Any]:
    """Our model and PyTorch's: its weights brought to ours in a safetensors file."""
    from safetensors.torch import save_file

    torch.manual_seed(0)
    theirs = example(name, "torch").build(*arguments)
    ours = example(name, "openbook").build(*arguments)
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    ours.load_state_dict(ob.load(tmp_path / "theirs.safetensors"))
    return ours, theirs


def compare(name: str, tmp_path: Path, build: tuple = (), train: tuple = ()) -> None:
    ours, theirs = both(name, tmp_path, *build)
    mine = example(name, "openbook").train(ours, *train, steps=STEPS)
    other = example(name, "torch").train(theirs, *train, steps=STEPS)
    np.testing.assert_allclose(mine, other, rtol=0, atol=TOLERANCE)
    assert mine[-1] < mine[0]
    # and the trained weights back to PyTorch
    from safetensors.torch import load_file

    ob.save(ours.state_dict(), tmp_path / "ours.safetensors")
    theirs.load_state_dict(load_file(tmp_path / "ours.safetensors"))
    for key, value in theirs.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), ours.state_dict()[key].data)


def test_digits_cnn(tmp_path: Path) -> None:
    compare("digits_cnn", tmp_path)


def test_lstm(tmp_path: Path) -> None:
    compare("lstm", tmp_path)


@pytest.mark.data
def test_names_mlp(tmp_path: Path, shared_data: Path) -> None:
    compare("names_mlp", tmp_path, train=(shared_data / "names.txt",))


@pytest.mark.data
def test_tiny_gpt(tmp_path: Path, shared_data: Path) -> None:
    compare("tiny_gpt", tmp_path, build=(65,), train=(shared_data / "tinyshakespeare.txt",))
