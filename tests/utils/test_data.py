"""Datasets, samplers and the loader: what comes, in which order, and beside PyTorch's."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import openbook as ob
from openbook.errors import DTypeError, InputError, OpenbookError, ShapeError
from openbook.utils import data
from openbook.utils.data import DataLoader, TensorDataset

Point = namedtuple("Point", "x y")


class Squares(data.Dataset):
    """Numbers and their squares, one by one."""

    def __init__(self, count: int):
        self.count = count

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < self.count:
            raise IndexError(index)
        return index, float(index) ** 2

    def __len__(self) -> int:
        return self.count


class Countdown(data.IterableDataset):
    """Numbers that come one after the other."""

    def __init__(self, count: int):
        self.count = count

    def __iter__(self) -> Any:
        return iter(range(self.count, 0, -1))


def rows(count: int) -> TensorDataset:
    """A table of `count` rows, and their numbers."""
    return TensorDataset(ob.tensor(np.arange(2.0 * count).reshape(count, 2)), ob.arange(count))


def numbers(loader: DataLoader) -> list[list[int]]:
    """The numbers of the rows, batch by batch."""
    return [batch[1].tolist() for batch in loader]


@given(st.integers(1, 40), st.integers(1, 15), st.booleans(), st.booleans(), st.integers(0, 5))
@settings(deadline=None)
def test_every_row_once_and_whole_tensors_as_one_by_one(
    count: int, size: int, shuffle: bool, drop_last: bool, seed: int
) -> None:
    dataset = rows(count)
    loader = DataLoader(dataset, size, shuffle, drop_last=drop_last, generator=seed)
    single = DataLoader(
        dataset, size, shuffle, drop_last=drop_last, generator=seed, collate_fn=lambda b: data.default_collate(b)
    )
    for _ in range(2):
        batches = list(loader)
        assert len(batches) == len(loader) == (count // size if drop_last else -(-count // size))
        assert [b.tolist() for batch in batches for b in batch] == [b.tolist() for batch in single for b in batch]
        seen = [n for batch in batches for n in batch[1].tolist()]
        assert len(set(seen)) == len(seen) and (drop_last or sorted(seen) == list(range(count)))
        assert shuffle or seen == list(range(len(seen)))
        for X, n in batches:
            np.testing.assert_array_equal(X.data, dataset.tensors[0].data[n.data])


def test_the_same_seed_gives_the_same_batches_and_another_order_each_time() -> None:
    one, two = (DataLoader(rows(50), 8, shuffle=True, generator=7) for _ in range(2))
    first = numbers(one)
    assert first == numbers(two)
    second = numbers(one)
    assert second != first and second == numbers(two)
    assert first == numbers(DataLoader(rows(50), 8, shuffle=True, generator=np.random.default_rng(7)))
    assert first != numbers(DataLoader(rows(50), 8, shuffle=True, generator=8))


def test_manual_seed_seeds_the_order_without_a_generator() -> None:
    loader = DataLoader(rows(50), 8, shuffle=True)
    runs = []
    for _ in range(2):
        ob.manual_seed(3)
        runs.append([numbers(loader), numbers(loader)])
    assert runs[0] == runs[1] and runs[0][0] != runs[0][1]


def test_batches_are_copies_and_keep_their_dtype() -> None:
    dataset = TensorDataset(np.zeros((4, 2), np.float32), np.arange(4))
    for batch in DataLoader(dataset, 2):
        assert [t.dtype for t in batch] == [np.float32, np.int64]
        batch[0].data[...] = 1
    assert not dataset.tensors[0].data.any()


def test_gradients_lead_back_to_the_data() -> None:
    x = ob.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
    for collate in (None, lambda batch: data.default_collate(batch)):
        x.grad = None
        (first, *_) = DataLoader(TensorDataset(x), 2, collate_fn=collate)
        (first[0] * first[0]).sum().backward()
        assert x.grad.tolist() == [[2.0], [4.0], [0.0]]


def test_a_subclass_says_what_its_examples_are() -> None:
    class Doubled(TensorDataset):
        def __getitem__(self, index: Any) -> Any:
            return tuple(2 * t for t in super().__getitem__(index))

    ((_, twice),) = DataLoader(Doubled(*rows(3).tensors), 3)
    assert twice.tolist() == [0, 2, 4]
    ((_, twice),) = DataLoader(data.Subset(Doubled(*rows(3).tensors), [2, 1]), 3)
    assert twice.tolist() == [4, 2]


def test_subsets_and_joined_datasets() -> None:
    subset = data.Subset(data.Subset(rows(10), [9, 8, 7, 3]), [3, 0])
    assert numbers(DataLoader(subset, 2)) == [[3, 9]]
    joined = rows(3) + rows(2)
    assert numbers(DataLoader(joined, 4)) == [[0, 1, 2, 0], [1]]
    assert joined[-1][1].item() == 1
    with pytest.raises(IndexError):
        joined[5]


def test_random_split() -> None:
    parts = data.random_split(rows(10), [0.5, 0.25, 0.25], generator=1)
    assert [len(part) for part in parts] == [6, 2, 2]
    assert sorted(n for part in parts for n in part.indices) == list(range(10))
    again = data.random_split(rows(10), [6, 2, 2], generator=1)
    assert [part.indices for part in parts] == [part.indices for part in again]


def test_samplers() -> None:
    assert list(data.SequentialSampler(range(4))) == [0, 1, 2, 3]
    drawn = list(data.RandomSampler(range(4), num_samples=10, generator=0))
    assert sorted(drawn[:4]) == sorted(drawn[4:8]) == [0, 1, 2, 3] and len(drawn) == 10
    assert len(set(data.RandomSampler(range(100), replacement=True, generator=0))) < 100
    assert sorted(data.SubsetRandomSampler([5, 3, 9], generator=0)) == [3, 5, 9]
    assert list(data.BatchSampler(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(data.BatchSampler(range(5), 2, drop_last=True)) == [[0, 1], [2, 3]]


def test_weighted_draws_follow_the_weights() -> None:
    drawn = np.array(list(data.WeightedRandomSampler([1.0, 0.0, 3.0], 20_000, generator=0)))
    shares = np.bincount(drawn, minlength=3) / len(drawn)
    np.testing.assert_allclose(shares, [0.25, 0.0, 0.75], atol=0.02)  # over six standard deviations
    assert sorted(data.WeightedRandomSampler([1.0, 0.0, 3.0], 2, replacement=False, generator=0)) == [0, 2]


def test_samplers_of_ones_own() -> None:
    assert numbers(DataLoader(rows(5), 2, sampler=[4, 0, 2])) == [[4, 0], [2]]
    assert numbers(DataLoader(rows(5), batch_sampler=[[4], [0, 2]])) == [[4], [0, 2]]
    sampler = data.WeightedRandomSampler([0, 1, 0, 0, 0], 3)
    assert numbers(DataLoader(rows(5), 2, sampler=sampler)) == [[1, 1], [1]]
    batches = data.BatchSampler(data.RandomSampler(rows(5), generator=0), 3)
    assert [len(b) for b in numbers(DataLoader(rows(5), batch_sampler=batches))] == [3, 2]


def test_examples_without_a_length_come_by_a_sampler() -> None:
    class Endless(data.Dataset):
        def __getitem__(self, index: int) -> int:
            return 10 * index

    assert [batch.tolist() for batch in DataLoader(Endless(), 2, sampler=[3, 1, 5])] == [[30, 10], [50]]
    with pytest.raises(DTypeError, match="Endless does not"):
        DataLoader(Endless(), 2)


def test_one_by_one() -> None:
    assert [(n, s) for n, s in DataLoader(Squares(3), batch_size=None)] == [(0, 0.0), (1, 1.0), (2, 4.0)]
    converted = data.default_convert({"a": np.ones(2), "b": [np.float32(1), "x"], "p": Point(np.zeros(1), 2)})
    assert converted["a"].tolist() == [1.0, 1.0] and converted["b"][1] == "x" and converted["p"].x.tolist() == [0.0]


EXAMPLES: list[Any] = [
    [1, 2, 3],
    [1.5, 2.5],
    [True, False],
    [np.float32(1), np.float32(2)],
    [np.arange(3), np.arange(3)],
    [(1, 2.0), (3, 4.0)],
    [[1, np.ones(2)], [3, np.zeros(2)]],
    [{"a": 1, "b": {"c": np.ones(1)}}, {"a": 2, "b": {"c": np.zeros(1)}}],
    [Point(1, "one"), Point(2, "two")],
    ["one", "two"],
    [b"one", b"two"],
]


def plain(batch: Any) -> Any:
    """A batch with arrays and their dtypes in place of either library's tensors."""
    if isinstance(batch, dict):
        return {key: plain(value) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        return type(batch).__name__, [plain(value) for value in batch]
    return (str(np.asarray(batch).dtype), np.asarray(batch).tolist()) if hasattr(batch, "dtype") else batch


@pytest.mark.torch
@pytest.mark.parametrize("batch", EXAMPLES)
def test_collating_agrees(batch: Any) -> None:
    torch_data = pytest.importorskip("torch.utils.data")
    assert plain(data.default_collate(batch)) == plain(torch_data.default_collate(batch))


@pytest.mark.torch
@pytest.mark.parametrize(
    "options", [{"batch_size": 4}, {"batch_size": 3, "drop_last": True}, {"batch_sampler": [[1, 0], [7]]}]
)
def test_loading_agrees(options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    theirs = torch.utils.data.TensorDataset(torch.arange(16.0).reshape(8, 2), torch.arange(8))
    ours = TensorDataset(ob.arange(16.0).reshape(8, 2), ob.arange(8))
    for mine, other in ((ours, theirs), (Squares(8), Squares(8))):
        one, two = DataLoader(mine, **options), torch.utils.data.DataLoader(other, **options)
        assert len(one) == len(two)
        assert [plain(batch) for batch in one] == [plain(batch) for batch in two]


@pytest.mark.torch
@pytest.mark.parametrize("lengths", [[0.5, 0.5], [0.3, 0.3, 0.4], [3, 8], [0.1, 0.2, 0.7]])
def test_splits_have_the_same_lengths(lengths: list[float]) -> None:
    torch_data = pytest.importorskip("torch.utils.data")
    ours, theirs = data.random_split(Squares(11), lengths), torch_data.random_split(Squares(11), lengths)
    assert [len(part) for part in ours] == [len(part) for part in theirs]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: TensorDataset(), InputError, "no tensors"),
        (lambda: TensorDataset(np.ones(3), np.ones(4)), ShapeError, r"\[3, 4\] rows"),
        (lambda: TensorDataset(np.float64(1)), ShapeError, "has no rows"),
        (lambda: data.ConcatDataset([]), InputError, "no datasets"),
        (lambda: DataLoader(rows(0)), InputError, "empty"),
        (lambda: DataLoader(iter([1, 2])), DTypeError, "list_iterator does not"),
        (lambda: list(data.RandomSampler([])), InputError, "nothing to draw"),
        (lambda: DataLoader(rows(3), 0), InputError, "batch_size=0"),
        (lambda: DataLoader(rows(3), 2.5), InputError, "batch_size=2.5"),
        (lambda: DataLoader(rows(3), num_workers=-1), InputError, "num_workers=-1"),
        (lambda: DataLoader(rows(3), num_workers=1.5), InputError, "num_workers=1.5"),
        (lambda: DataLoader(rows(3), timeout=-1), InputError, "timeout"),
        (lambda: DataLoader(rows(3), persistent_workers=True), InputError, "about workers"),
        (lambda: DataLoader(rows(3), prefetch_factor=2), InputError, "about workers"),
        (lambda: DataLoader(Countdown(3), shuffle=True), InputError, "shuffle asks"),
        (lambda: DataLoader(Countdown(3), sampler=[1]), InputError, "sampler asks"),
        (lambda: Countdown(3)[0], InputError, "no numbers"),
        (lambda: data.ConcatDataset([Countdown(3)]), InputError, "ChainDataset"),
        (lambda: data.StackDataset(), InputError, "one way"),
        (lambda: data.StackDataset(rows(2), rows(3)), ShapeError, r"\[2, 3\]"),
        (lambda: DataLoader(rows(3), shuffle=True, sampler=[1]), InputError, "Leave out shuffle"),
        (lambda: DataLoader(rows(3), 2, batch_sampler=[[1]]), InputError, "Leave out batch_size"),
        (lambda: DataLoader(rows(3), None, drop_last=True), InputError, "drop_last"),
        (lambda: DataLoader(rows(3), shuffle=True, generator="seven"), DTypeError, "not str"),
        (lambda: data.WeightedRandomSampler([1.0, -1.0], 1), InputError, "none of them negative"),
        (lambda: data.WeightedRandomSampler([1.0, 0.0], 2, replacement=False), InputError, "from 1 with"),
        (lambda: data.WeightedRandomSampler([0.0], 1), InputError, "from 0 with"),
        (lambda: data.random_split(rows(5), [2, 2]), InputError, "do not add up"),
        (lambda: data.random_split(rows(5), [6, -1]), InputError, "negative"),
        (lambda: data.default_collate([]), InputError, "no examples"),
        (lambda: data.default_collate([object()]), DTypeError, "object cannot"),
        (lambda: data.default_collate([np.array(["a"])]), DTypeError, "<U1"),
        (lambda: data.default_collate([np.ones(2), np.ones(3)]), ShapeError, r"\(2,\), \(3,\)"),
        (lambda: data.default_collate([ob.ones(2), ob.ones(3)]), ShapeError, "one shape"),
        (lambda: data.default_collate([(1, 2), (1,)]), ShapeError, r"\[1, 2\] parts"),
    ],
)  # fmt: skip
def test_what_cannot_be_loaded_is_refused(make: Any, error: type[OpenbookError], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_openbook_utils_is_there() -> None:
    assert ob.utils.data.DataLoader is DataLoader


@pytest.mark.parametrize("options", [
    {}, {"batch_size": 4}, {"batch_size": 4, "drop_last": True}, {"batch_size": None}, {"batch_size": 3, "shuffle": False},
    {"batch_size": 2, "collate_fn": sum}, {"batch_size": 20},
])  # fmt: skip
@pytest.mark.torch
def test_examples_that_come_one_by_one_are_batched_as_pytorch_does(options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    def run(library: Any) -> list[Any]:
        kind = type("Countdown", (library.IterableDataset,), {"__iter__": lambda self: iter(range(10, 0, -1))})
        loader = library.DataLoader(kind() + kind(), **options)
        return [[b.tolist() if hasattr(b, "tolist") else b for b in loader] for _ in range(2)]

    assert run(data) == run(torch.utils.data)


def test_an_iterable_dataset_may_have_a_length() -> None:
    class Known(Countdown):
        def __len__(self) -> int:
            return self.count

    assert [len(DataLoader(Known(10), size, drop_last=drop)) for size, drop in ((4, False), (4, True), (None, False))] == [
        3, 2, 10,
    ]  # fmt: skip
    assert len(Known(3) + Known(4)) == 7
    with pytest.raises(TypeError):
        len(DataLoader(Countdown(10)))


def test_workers_change_nothing() -> None:
    """No process is started: the batches are those without workers, and nobody is there to be initialised."""
    asked = {"num_workers": 3, "worker_init_fn": lambda worker: 1 / 0, "persistent_workers": True, "prefetch_factor": 4,
             "timeout": 5, "multiprocessing_context": "spawn", "in_order": False, "pin_memory": True}  # fmt: skip
    plain, workers = (DataLoader(rows(20), 3, True, generator=3, **options) for options in ({}, asked))
    assert numbers(plain) == numbers(workers)
    assert data.get_worker_info() is None


@pytest.mark.torch
def test_datasets_side_by_side() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    def run(library: Any) -> list[Any]:
        stacked = library.StackDataset([1, 2, 3], "abc")
        named = library.StackDataset(number=[1, 2, 3], letter="abc")
        return [stacked[1], named[2], len(stacked), len(named), [b[1] for b in library.DataLoader(stacked, 2)]]

    assert [*map(repr, run(data))] == [*map(repr, run(torch.utils.data))]
