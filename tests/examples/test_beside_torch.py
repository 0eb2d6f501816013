"""The examples trained beside PyTorch: the same text with other imports, the same initial weights, the same batches."""

from __future__ import annotations

import os
import subprocess
import sys
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


def curves(name: str, tmp_path: Path, build: tuple, train: tuple, double: bool) -> tuple[Any, Any, list, list]:
    """Both models after their training, and their losses."""
    ours, theirs = both(name, tmp_path, *build)
    if double:
        ours, theirs = ours.double(), theirs.double()
    mine = example(name, "openbook").train(ours, *train, steps=STEPS)
    return ours, theirs, mine, example(name, "torch").train(theirs, *train, steps=STEPS)


def compare(name: str, tmp_path: Path, build: tuple = (), train: tuple = (), single: float = TOLERANCE) -> None:
    """Loss curves in both precisions; then the trained weights back to PyTorch.

    In double precision nothing but the mathematics decides, on any processor: 1e-4 is the promise, and 1e-8 is held. In
    single precision `single` is allowed.
    """
    *_, mine, other = curves(name, tmp_path, build, train, double=True)
    np.testing.assert_allclose(mine, other, rtol=0, atol=TOLERANCE / 10_000)
    ours, theirs, mine, other = curves(name, tmp_path, build, train, double=False)
    np.testing.assert_allclose(mine, other, rtol=0, atol=single)
    assert mine[-1] < mine[0]
    back_to_torch(ours, theirs, tmp_path)


def back_to_torch(ours: Any, theirs: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    ob.save(ours.state_dict(), tmp_path / "ours.safetensors")
    theirs.load_state_dict(load_file(tmp_path / "ours.safetensors"))
    for key, value in theirs.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), ours.state_dict()[key].data)


def test_digits_cnn(tmp_path: Path) -> None:
    """In ten million ReLUs and poolings one rounding error of single precision turns a kink the other way.

    After that the curves part by up to 1e-3, PyTorch's own on two processors too.
    """
    compare("digits_cnn", tmp_path, single=1e-2)


def test_lstm(tmp_path: Path) -> None:
    compare("lstm", tmp_path)


@pytest.mark.data
def test_names_mlp(tmp_path: Path, shared_data: Path) -> None:
    """Single precision: the first steps of AdamW are as large for gradients of 1e-7 as for others, whatever they are."""
    compare("names_mlp", tmp_path, train=(shared_data / "names.txt",), single=1e-3)


@pytest.mark.data
def test_tiny_gpt(tmp_path: Path, shared_data: Path) -> None:
    compare("tiny_gpt", tmp_path, build=(65,), train=(shared_data / "tinyshakespeare.txt",))


def run(name: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """An example as a user runs it, in another folder."""
    return subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py", *arguments], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent)},
    )  # fmt: skip


@pytest.mark.parametrize("name", ["names_mlp", "tiny_gpt"])
def test_a_missing_file_is_said_in_one_line(name: str, tmp_path: Path) -> None:
    told = run(name, "nowhere.txt", folder=tmp_path)
    assert told.returncode != 0
    assert len(told.stderr.splitlines()) == 1 and "there is no file nowhere.txt" in told.stderr


def test_names_are_learnt_from_a_file_found_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("anna\nhannah\nnan\n" * 50)
    told = run("names_mlp", folder=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "3 names in names.txt" in told.stdout
    known = told.stdout.rsplit("already:", 1)[1]
    assert "anna" in known or "nan" in known  # after 2000 steps hardly anything else is drawn


def test_data_that_will_not_do_are_said(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("anna\nmüller\n")
    (tmp_path / "text.txt").write_text("too short")
    with pytest.raises(ValueError, match="letters other than"):
        example("names_mlp", "openbook").data(tmp_path / "names.txt")
    with pytest.raises(ValueError, match="9 letters"):
        example("tiny_gpt", "openbook").data(tmp_path / "text.txt")
