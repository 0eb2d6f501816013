"""Comparisons and questions: truth values, with nothing to differentiate."""

from __future__ import annotations

import numpy as np

from openbook.ops.op import Elementwise


class Question(Elementwise):
    """The family of operations that answer with a truth value."""

    differentiable = False


class Greater(Question):
    """Whether one number is larger than another."""

    formula = "x > y"

    @staticmethod
    def forward(x, y):
        return np.greater(x, y)


class GreaterEqual(Question):
    """Whether one number is at least as large as another."""

    name = "greater_equal"
    formula = "x >= y"

    @staticmethod
    def forward(x, y):
        return np.greater_equal(x, y)


class Less(Question):
    """Whether one number is smaller than another."""

    formula = "x < y"

    @staticmethod
    def forward(x, y):
        return np.less(x, y)


class LessEqual(Question):
    """Whether one number is at most as large as another."""

    name = "less_equal"
    formula = "x <= y"

    @staticmethod
    def forward(x, y):
        return np.less_equal(x, y)


class Eq(Question):
    """Whether two numbers are the same; NaN is not the same as itself."""

    formula = "x == y"

    @staticmethod
    def forward(x, y):
        return np.equal(x, y)


class NotEqual(Question):
    """Whether two numbers differ."""

    name = "not_equal"
    formula = "x != y"

    @staticmethod
    def forward(x, y):
        return np.not_equal(x, y)


class LogicalAnd(Question):
    """Whether both are true (not 0)."""

    name = "logical_and"
    formula = "x and y"

    @staticmethod
    def forward(x, y):
        return np.logical_and(x, y)


class LogicalOr(Question):
    """Whether at least one is true (not 0)."""

    name = "logical_or"
    formula = "x or y"

    @staticmethod
    def forward(x, y):
        return np.logical_or(x, y)


class LogicalXor(Question):
    """Whether exactly one is true (not 0)."""

    name = "logical_xor"
    formula = "x xor y"

    @staticmethod
    def forward(x, y):
        return np.logical_xor(x, y)


class LogicalNot(Question):
    """Whether it is not true (is 0)."""

    name = "logical_not"

    @staticmethod
    def forward(x):
        return np.logical_not(x)


class IsNan(Question):
    """Whether it is not a number."""

    @staticmethod
    def forward(x):
        return np.isnan(x)


class IsInf(Question):
    """Whether it is infinite."""

    @staticmethod
    def forward(x):
        return np.isinf(x)


class IsFinite(Question):
    """Whether it is a number, and not infinite."""

    @staticmethod
    def forward(x):
        return np.isfinite(x)


class BitwiseAnd(Question):
    """Bit by bit, whether both bits are 1; of truth values, the same as logical_and."""

    name = "bitwise_and"
    formula = "x and y"

    @staticmethod
    def forward(x, y):
        return np.bitwise_and(x, y)


class BitwiseOr(Question):
    """Bit by bit, whether either bit is 1; of truth values, the same as logical_or."""

    name = "bitwise_or"
    formula = "x or y"

    @staticmethod
    def forward(x, y):
        return np.bitwise_or(x, y)


class BitwiseXor(Question):
    """Bit by bit, whether exactly one bit is 1; of truth values, the same as logical_xor."""

    name = "bitwise_xor"
    formula = "x xor y"

    @staticmethod
    def forward(x, y):
        return np.bitwise_xor(x, y)


class BitwiseNot(Question):
    """Every bit turned; of truth values, the same as logical_not."""

    name = "bitwise_not"

    @staticmethod
    def forward(x):
        return np.bitwise_not(x)
