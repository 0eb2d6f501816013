"""Why a model does not learn: findings with a certificate. `openbook.diagnose(model, data, loss, optimizer)`.

A finding names a fault by a stable code, shows the numbers it rests on, and the smallest change that helps: tried on a
copy, with the loss before and after. What cannot be proved in this way is not a finding.
"""

import sys
from types import ModuleType
from typing import Any

from openbook.diagnose.diagnosis import Diagnosis
from openbook.diagnose.examine import codes, diagnose
from openbook.diagnose.finding import Effect, Finding

__all__ = ["Diagnosis", "Effect", "Finding", "codes", "diagnose"]


class _Diagnose(ModuleType):
    """`openbook.diagnose` is this package and, called, the function."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return diagnose(*arguments, **options)


sys.modules[__name__].__class__ = _Diagnose
