"""Deciding from probabilities: rates, metrics, calibration, thresholds."""

from openbook.decide.calibrate import Reliability, TemperatureScaling, reliability
from openbook.decide.costs import CostDecision, least_cost
from openbook.decide.metric import Metric
from openbook.decide.rates import RATES, Rate
from openbook.decide.scores import SCORES, Judgement, score_table
from openbook.decide.spread import Spread
from openbook.decide.threshold import BestThreshold, Outcome, ThresholdTable, at_thresholds, best_threshold

__all__ = [
    "RATES",
    "SCORES",
    "BestThreshold",
    "CostDecision",
    "Judgement",
    "Metric",
    "Outcome",
    "Rate",
    "Reliability",
    "Spread",
    "TemperatureScaling",
    "ThresholdTable",
    "at_thresholds",
    "best_threshold",
    "least_cost",
    "reliability",
    "score_table",
]
