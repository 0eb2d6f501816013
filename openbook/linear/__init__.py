"""Least squares and logistic regression, both by Newton's method."""

from openbook.linear.logistic import Iteration, LogisticRegression
from openbook.linear.newton import NewtonStep, newton_step
from openbook.linear.regression import LinearRegression

__all__ = ["Iteration", "LinearRegression", "LogisticRegression", "NewtonStep", "newton_step"]
