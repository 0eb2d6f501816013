"""What a set of rows, and a split, is worth by each criterion: the larger, the purer. Said slowly, from the rows themselves."""

from __future__ import annotations

import math

import numpy as np

from openbook.forest.fixed import CRITERIA
from openbook.forest.outputs import Output, Outputs

__all__ = ["Scores"]

_GINI, _ENTROPY, _SQUARED, _POISSON, _ABSOLUTE = (
    CRITERIA[name] for name in ("gini", "entropy", "squared_error", "poisson", "absolute_error")
)


class Scores:
    """The criterion's view of rows that were drawn `drawn` times each. Sums are Python's whole numbers."""

    def __init__(self, outputs: Outputs, drawn: np.ndarray):
        self.outputs, self.criterion, self.drawn = outputs, outputs.criterion, drawn
        self.weight = outputs.weight * drawn

    # --- sums --------------------------------------------------------------------------------------------------

    def weight_of(self, rows: np.ndarray) -> int:
        return int(self.weight[rows].sum())

    def by_class(self, output: Output, rows: np.ndarray) -> list[int]:
        codes = output.fixed.code[rows]
        return [self.weight_of(rows[codes == c]) for c in range(output.target.classes)]

    def part(self, output: Output, rows: np.ndarray) -> int:
        """Σ w·y in fixed point."""
        return int((output.fixed.weighted[rows] * self.drawn[rows]).sum())

    def sums(self, rows: np.ndarray) -> list[int]:
        """Class weights of every output, or the weight and each output's part."""
        if self.outputs.classes:
            return [w for output in self.outputs.each for w in self.by_class(output, rows)]
        return [self.weight_of(rows), *(self.part(output, rows) for output in self.outputs.each)]

    def means(self, rows: np.ndarray) -> list[float]:
        """What rows have on average: of every output the class shares (of two classes, the second's), or the mean target."""
        total, found = float(self.weight_of(rows)), []
        for output in self.outputs.each:
            if self.outputs.classes:
                shares = [float(w) / total for w in self.by_class(output, rows)]
                found += shares[1:] or [0.0] if len(shares) <= 2 else shares
            else:
                found.append(float(self.part(output, rows)) / total * output.fixed.target_step)
        return found

    # --- worth -------------------------------------------------------------------------------------------------

    def of(self, rows: np.ndarray) -> float:
        """The score of one set of rows, added up over the outputs."""
        return sum(output.factor * self.of_output(output, rows) for output in self.outputs.each)

    def of_split(self, left: np.ndarray, right: np.ndarray) -> float:
        """The scores of both sides together; terms of the entropy are added as whole numbers."""
        if self.criterion == _ENTROPY:
            return sum(float(self.information(o, left) + self.information(o, right)) for o in self.outputs.each)
        return self.of(left) + self.of(right)

    def of_output(self, output: Output, rows: np.ndarray) -> float:
        """Gini: Σ w_c² / W. Entropy: Σ term(w_c) − term(W), where term(w) = w ln w as a whole number. Squared error:
        (Σ w·y)² / W. Poisson: Σ w·y · ln(mean). Absolute error: −Σ w·|y − median|."""
        total = float(self.weight_of(rows))
        if self.criterion == _GINI:
            return sum(float(w) * float(w) for w in self.by_class(output, rows)) / total
        if self.criterion == _ENTROPY:
            return float(self.information(output, rows))
        if self.criterion == _ABSOLUTE:
            return -self.absolute_error(output, rows)
        part = float(self.part(output, rows))
        if self.criterion == _SQUARED:
            return part * part / total
        return part * math.log(part / total * output.fixed.target_step) if part > 0 else 0.0

    def information(self, output: Output, rows: np.ndarray) -> int:
        term = output.fixed.term
        return sum(term(w) for w in self.by_class(output, rows)) - term(self.weight_of(rows))

    def absolute_error(self, output: Output, rows: np.ndarray) -> float:
        """Below the median a row is as far as the median minus its target, from the median on as its target minus that."""
        median = self.middles(output, rows)[0]
        below = rows[output.fixed.code[rows] < median]
        above = rows[output.fixed.code[rows] >= median]
        weight = self.weight_of(above) - self.weight_of(below)
        return float(self.part(output, above) - self.part(output, below)) - float(output.levels[median]) * float(weight)

    def has_value(self, *sides: np.ndarray) -> bool:
        """Poisson's deviance has none where nothing is counted."""
        if self.criterion != _POISSON:
            return True
        return all(self.part(output, rows) > 0 for output in self.outputs.each for rows in sides)

    # --- values ------------------------------------------------------------------------------------------------

    def middles(self, output: Output, rows: np.ndarray) -> tuple[int, int]:
        """The codes of the two middle targets, the same one unless two share the middle of the weight."""
        codes, whole = output.fixed.code, self.weight_of(rows)
        below, found = 0, []
        for code in sorted(set(codes[rows])):
            upto = below + self.weight_of(rows[codes[rows] == code])
            found += [int(code) for wanted in ((whole + 1) // 2, whole // 2 + 1) if below < wanted <= upto]
            below = upto
        return found[0], found[1]

    def medians(self, rows: np.ndarray) -> list[float]:
        """The weighted median of every output of numbers."""
        if self.outputs.classes:
            return []
        return [self.median(output, rows) for output in self.outputs.each]

    def median(self, output: Output, rows: np.ndarray) -> float:
        low, high = self.middles(output, rows)
        numbers = output.numbers
        return float(numbers[low]) if low == high else float(numbers[low] / 2 + numbers[high] / 2)

    def value(self, rows: np.ndarray) -> float:
        """What a constraint compares: the share of the second class, the mean (in fixed point) or the median of one output."""
        output = self.outputs.each[0]
        if self.criterion == _ABSOLUTE:
            return self.median(output, rows)
        part = self.by_class(output, rows)[1] if self.outputs.classes else self.part(output, rows)
        return float(part) / float(self.weight_of(rows))
