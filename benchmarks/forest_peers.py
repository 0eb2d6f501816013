"""The other makers of forests, in scikit-learn's words; those that are not installed here say so and stay away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import ensemble

__all__ = ["in_onnx_runtime", "of_categories", "peers"]

Makers = dict[str, Callable[[], Any]]


def peers(numbers: bool, common: dict[str, Any]) -> Makers:
    """Unfitted forests of LightGBM, XGBoost and YDF, as deep as scikit-learn's where they can be."""
    return {**_lightgbm(numbers, common), **_xgboost(numbers, common), **_ydf(numbers, common)}


def _lightgbm(numbers: bool, common: dict[str, Any]) -> Makers:
    try:
        import lightgbm
    except ImportError:
        print("LightGBM is not installed here")
        return {}
    kind = lightgbm.LGBMRegressor if numbers else lightgbm.LGBMClassifier
    return {"LightGBM rf": lambda: kind(boosting_type="rf", bagging_freq=1, bagging_fraction=0.632, num_leaves=4096,
                                        feature_fraction_bynode=1.0 if numbers else 0.22, min_child_samples=1, verbose=-1,
                                        **common)}  # fmt: skip


def _xgboost(numbers: bool, common: dict[str, Any]) -> Makers:
    try:
        import xgboost
    except ImportError:
        print("XGBoost is not installed here")
        return {}
    kind = xgboost.XGBRFRegressor if numbers else xgboost.XGBRFClassifier
    return {
        "XGBoost rf": lambda: kind(max_depth=0, colsample_bynode=1.0 if numbers else 0.22, subsample=0.632, **common)
    }


def _ydf(numbers: bool, common: dict[str, Any]) -> Makers:
    try:
        import ydf  # noqa: F401
    except ImportError:
        print("YDF is not installed here")
        return {}
    return {"YDF": lambda: (YdfRegressor if numbers else YdfClassifier)(common)}


def of_categories(common: dict[str, Any]) -> Makers:
    """scikit-learn behind an encoder, and YDF, which splits categories itself (by random sets or in order)."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    encoders = {
        "ordinal": lambda: OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan),
        "one-hot": lambda: OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    }

    def encoded(encoder: Callable[[], Any]) -> Any:
        texts = make_column_selector(dtype_exclude="number")
        columns = make_column_transformer((encoder(), texts), remainder="passthrough")
        return make_pipeline(columns, ensemble.RandomForestClassifier(**common))

    found: Makers = {f"scikit-learn, {name}": (lambda made=made: encoded(made)) for name, made in encoders.items()}  # type: ignore[misc]
    return found | _ydf(False, common)


class _Ydf:
    """YDF's random forest, as deep and as soft as the others'."""

    def __init__(self, common: dict[str, Any], **options: Any):
        import ydf

        self.learner = ydf.RandomForestLearner(
            label="y", num_trees=common["n_estimators"], num_threads=common["n_jobs"], random_seed=common["random_state"],
            max_depth=-1, min_examples=1, winner_take_all=False, compute_oob_performances=False, **options,
        )  # fmt: skip

    def fit(self, X: Any, y: np.ndarray) -> _Ydf:
        self.classes_ = np.unique(y)
        self.model = self.learner.train({**_columns(X), "y": y}, verbose=0)
        return self


class YdfClassifier(_Ydf):
    def predict_proba(self, X: Any) -> np.ndarray:
        found = self.model.predict(_columns(X))
        return np.stack([1 - found, found], axis=1) if found.ndim == 1 else found

    def predict(self, X: Any) -> np.ndarray:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class YdfRegressor(_Ydf):
    def __init__(self, common: dict[str, Any]):
        import ydf

        super().__init__(common, task=ydf.Task.REGRESSION, num_candidate_attributes_ratio=1.0)

    def predict(self, X: Any) -> np.ndarray:
        return self.model.predict(_columns(X))


def _columns(X: Any) -> dict[str, Any]:
    if isinstance(X, np.ndarray):
        return {f"f{i}": X[:, i] for i in range(X.shape[1])}
    return {name: _column(X[name]) for name in X.columns}


def _column(values: Any) -> np.ndarray:
    """A frame's column as YDF takes it, to which a missing text is the empty one."""
    return values.to_numpy() if values.dtype.kind in "iuf" else values.astype(object).fillna("").to_numpy()


def in_onnx_runtime(model: Any, columns: int, threads: int) -> Callable[[np.ndarray], Any] | None:
    """Prediction by scikit-learn's fitted forest inside ONNX Runtime; None where that is not installed."""
    try:
        import onnxruntime
        from skl2onnx import to_onnx
        from skl2onnx.common.data_types import FloatTensorType
    except ImportError:
        print("ONNX Runtime is not installed here")
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    graph = to_onnx(model, initial_types=[("X", FloatTensorType([None, columns]))], options=_no_dictionaries(model))
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda X: session.run(None, {"X": np.asarray(X, np.float32)})


def _no_dictionaries(model: Any) -> dict[int, dict[str, bool]] | None:
    return {id(model): {"zipmap": False}} if hasattr(model, "predict_proba") else None
