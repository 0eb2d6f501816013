"""From logits to draws: temperature, truncation, expected and observed counts."""

from openbook.sampling.draw import Draws, draw
from openbook.sampling.temperature import Tempered, softmax, temper
from openbook.sampling.truncate import truncate

__all__ = ["Draws", "Tempered", "draw", "softmax", "temper", "truncate"]
