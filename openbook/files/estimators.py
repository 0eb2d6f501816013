"""What files say of models in scikit-learn's clothes: the class, its parameters, and what it learnt (`name_`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from openbook.errors import ModelError
from openbook.files.plain import from_plain, to_plain
from openbook.files.stored import Stored

__all__ = ["attribute", "estimator_facts", "estimator_of", "require_classes", "require_features"]

_MOST_FEATURES = 2**31


def estimator_facts(
    model: Any, classes: Mapping[str, type], arrays: dict[str, np.ndarray], apart: Collection[str]
) -> dict[str, Any]:
    """The facts about a fitted model of one of the classes; `apart` are learnt attributes that are written another way."""
    kind = type(model)
    if classes.get(kind.__name__) is not kind:
        raise ModelError(
            f"{kind.__qualname__} is none of the classes that a file can name", where="save",
            do=f"save one of {', '.join(classes)}; pickle keeps classes of your own",
        )  # fmt: skip
    params = model.get_params(deep=False)
    learnt = {name: value for name, value in vars(model).items() if name not in params and name not in apart}
    strange = _strange(learnt, kind)
    if strange:
        raise ModelError(f"{strange[0]} is nothing that {kind.__name__} learns, and a file has no place for it",
                         where="save", do=f"delete it from the model first: del model.{strange[0]}")  # fmt: skip
    return {
        "class": kind.__name__,
        "params": {name: to_plain(value, name, arrays) for name, value in params.items()},
        "learnt": {name: to_plain(value, name, arrays) for name, value in learnt.items()},
    }


def estimator_of(stored: Stored, classes: Mapping[str, Any]) -> Any:
    """A model of the class the file names, with its parameters and what it learnt; what that may be is for the caller to see."""
    kind = classes.get(str(stored.facts.get("class")))
    if kind is None:
        raise ModelError(f"{str(stored.facts.get('class'))[:40]!r} is no class of {stored.kind} models")
    params, learnt = _values(stored, "params"), _values(stored, "learnt")
    odd = set(params) ^ set(kind._get_param_names())
    if odd:
        raise ModelError(f"the parameters are not those of {kind.__name__}: {min(odd)[:40]!r} is there once only")
    strange = _strange(learnt, kind)
    if strange:
        raise ModelError(f"{strange[0][:40]!r} is nothing that {kind.__name__} learns")
    model = kind(**params)
    vars(model).update(learnt)
    return model


def _strange(names: Collection[str], kind: type) -> list[str]:
    """Names of attributes that no fit gives."""
    return [name for name in names if not name.endswith("_") or name.startswith("_") or hasattr(kind, name)]


def _values(stored: Stored, part: str) -> dict[str, Any]:
    values = stored.facts.get(part)
    if not isinstance(values, dict):
        raise ModelError(f"the file does not say the model's {part}")
    return {name: from_plain(value, stored.arrays) for name, value in values.items()}


def attribute(model: Any, name: str, *kinds: type) -> Any:
    """A parameter or something learnt, if it is of a kind that the class knows there."""
    value = vars(model).get(name)
    if type(value) not in kinds:
        raise ModelError(f"{name} is no {' or '.join(kind.__name__ for kind in kinds)}")
    return value


def require_features(model: Any) -> int:
    """The number of features, if it can be one and names, where there are any, are as many."""
    features = attribute(model, "n_features_in_", int)
    if not 0 < features < _MOST_FEATURES:
        raise ModelError(f"there are no models of {features} features")
    if getattr(model, "feature_names_in_", None) is not None:
        names = attribute(model, "feature_names_in_", np.ndarray)
        if names.dtype.kind != "O" or names.shape != (features,):
            raise ModelError(f"the names of the features are not {features} texts")
    return features


def require_classes(model: Any, outputs: int = 1) -> tuple[int, ...]:
    """How many classes each output has, if they are a list; of several outputs a list of lists."""
    classes = attribute(model, "classes_", np.ndarray if outputs == 1 else list)
    each = [classes] if outputs == 1 else classes
    if len(each) != outputs or not all(isinstance(c, np.ndarray) and c.ndim == 1 and len(c) for c in each):
        raise ModelError(f"the classes are no list for each of {outputs} outputs")
    return tuple(len(c) for c in each)
