"""Help beside the networks: data in batches."""

from openbook.utils import data

__all__ = ["data"]
