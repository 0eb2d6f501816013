"""scikit-learn's own tests of trees and forests, with our classes in place of theirs.

They ship with scikit-learn. What cannot pass stands below with its reason; everything else must.
"""

from __future__ import annotations

import importlib.util
from types import ModuleType
from typing import Any

import pytest
import sklearn.ensemble
import sklearn.tree

from openbook import forest

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]

WORDS = "the same is refused, in other words"
PRIVATE = "looks into scikit-learn's own internals"
SEEDS = "random numbers are NumPy's new generators', from 63-bit seeds"
UNDEFINED = "expects −2 as the feature and threshold of leaves; ours are −1 and 0, and siblings are numbered together"
VALUES = "`tree_.value` is (nodes, classes of all outputs) here, (nodes, outputs, classes) there"
CANNOT: dict[str, str] = {
    "tree_almost_constant_feature": "features that differ by less than 1e-7 are constant there; here every difference counts",
    "tree_big_input": "numbers beyond float32 are refused there; float64 is not rounded here",
    "tree_build_pruned_tree_infinite_loop": PRIVATE,
    "tree_build_pruned_tree_py": PRIVATE,
    "tree_error": WORDS,
    "tree_huge_allocations": PRIVATE,
    "tree_min_sample_split_1_error": WORDS,
    "tree_no_sparse_y_support": "a sparse y is an InputError (a ValueError) here, a TypeError there",
    "tree_pickle": PRIVATE,
    "tree_prune_single_node_tree": UNDEFINED,
    "monotonic_nd_tree_nodes_values": VALUES,
    "monotonic_assert_nd_reg_tree_children_monotonic_bounded": VALUES,
    "forest_backend_respected": "trees are grown by threads of ours, not by joblib's backends",
    "forest_class_weight_errors": "class weights and warm_start go together without a warning",
    "forest_class_weights_forest": PRIVATE,
    "forest_distribution": UNDEFINED,
    "forest_estimators_samples": SEEDS,
    "forest_forest_multioutput_integral_regression_target": PRIVATE,
    "forest_importances_asymptotic": PRIVATE,
    "forest_max_samples_bootstrap": WORDS,
    "forest_max_samples_geq_one": PRIVATE,
    "forest_mse_criterion_object_segfault_smoke_test": "a criterion is a name, not an object of scikit-learn's",
    "forest_oob_not_computed_twice": PRIVATE,
    "forest_poisson_y_positive_check": WORDS,
    "forest_validate_y_class_weight": PRIVATE,
}
SOME_CANNOT: dict[str, str] = {
    "tree_missing_value_errors": "sparse tables may have missing values here",
    "tree_prune_tree_classifier_are_subtrees": UNDEFINED,
    "tree_prune_tree_regression_are_subtrees": UNDEFINED,
    "tree_random_splitter_missing_values_uses_non_missing_min_max": "where all known values are equal the threshold is ∞",
    "forest_importances": "absolute errors of classes tie everywhere, and other random numbers choose among them",
    "forest_memory_layout": PRIVATE,
}


@pytest.fixture
def global_random_seed() -> int:
    """As scikit-learn's own configuration has it by default."""
    return 42


def with_our_classes(name: str) -> ModuleType:
    """A copy of one of scikit-learn's test modules that has imported our classes."""
    places = [
        (package, own)
        for package in (sklearn.tree, sklearn.ensemble)
        for own in forest.__all__
        if hasattr(package, own)
    ]
    theirs = [getattr(*place) for place in places]
    spec = importlib.util.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    try:
        for package, own in places:
            setattr(package, own, getattr(forest, own))
        spec.loader.exec_module(module)
    finally:
        for (package, own), original in zip(places, theirs, strict=True):
            setattr(package, own, original)
    return module


def expected(name: str, test: Any) -> Any:
    if name in CANNOT:
        return pytest.mark.xfail(reason=CANNOT[name], strict=True)(test)
    return pytest.mark.xfail(reason=SOME_CANNOT[name], strict=False)(test) if name in SOME_CANNOT else test


def collected() -> dict[str, Any]:
    """Every test, under a name that tells which module it is from."""
    found = {}
    for short, path in (
        ("tree", "sklearn.tree.tests.test_tree"),
        ("monotonic", "sklearn.tree.tests.test_monotonic_tree"),
        ("forest", "sklearn.ensemble.tests.test_forest"),
    ):
        for name, test in vars(with_our_classes(path)).items():
            if name.startswith("test_"):
                own = f"{short}_{name.removeprefix('test_')}"
                found[f"test_{own}"] = expected(own, test)
    return found


globals().update(collected())
