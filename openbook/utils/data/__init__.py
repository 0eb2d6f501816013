"""Data in batches, under PyTorch's names: datasets, the order they are gone through in, and the loader."""

from openbook.utils.data.collate import default_collate, default_convert
from openbook.utils.data.dataset import ConcatDataset, Dataset, Subset, TensorDataset, random_split
from openbook.utils.data.loader import DataLoader
from openbook.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "BatchSampler",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "default_collate",
    "default_convert",
    "random_split",
]
