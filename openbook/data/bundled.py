"""Real data that scikit-learn ships, for when no table is given."""

from __future__ import annotations

import numpy as np

from openbook.data.table import Table
from openbook.errors import TableError

__all__ = ["BUNDLED", "bundled"]

BUNDLED = ("breast_cancer", "diabetes", "digits", "iris", "wine")


def bundled(name: str = "breast_cancer") -> Table:
    """One of scikit-learn's bundled data sets as a table, classes by their names."""
    import sklearn.datasets

    if name not in BUNDLED:
        raise TableError(f"no data set {name!r} is bundled", do=f"choose one of {', '.join(BUNDLED)}")
    data = getattr(sklearn.datasets, f"load_{name}")()
    names = [str(f).replace(" (cm)", "").replace(" ", "_") for f in data.feature_names]
    columns = {f: np.asarray(c, np.float64) for f, c in zip(names, np.asarray(data.data).T, strict=True)}
    if "target_names" in data:
        labels = [str(label) for label in data.target_names]
        columns["class"] = np.array([labels[t] for t in data.target], dtype=object)
    else:
        columns["target"] = np.asarray(data.target, np.float64)
    return Table(f"scikit-learn's {name}", columns)
