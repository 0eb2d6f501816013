"""Slow, obvious twins of the operations on whole arrays: loops over single numbers, of any precision.

What has a formula that says everything (entry by entry) needs none: the formula is its twin.
"""

from openbook.testing.twins import losses, matrices, moves, products, questions, reductions
from openbook.testing.twins.registry import TWINS

__all__ = ["TWINS", "losses", "matrices", "moves", "products", "questions", "reductions"]
