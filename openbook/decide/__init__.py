"""Deciding from probabilities: rates, metrics, calibration, thresholds."""

from openbook.decide.calibrate import Reliability, TemperatureScaling, reliability
from openbook.decide.metric import Metric
from openbook.decide.rates import RATES, Rate
from openbook.decide.scores import SCORES, Judgement, score_table
from openbook.decide.threshold import BestThreshold, Outcome, ThresholdTable, at_thresholds, best_threshold

__all__ = [
    "RATES",
    "SCORES",
    "BestThreshold",
    "Judgement",
    "Metric",
    "Outcome",
    "Rate",
    "Reliability",
    "TemperatureScaling",
    "ThresholdTable",
    "at_thresholds",
    "best_threshold",
    "reliability",
    "score_table",
]
