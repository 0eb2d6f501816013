"""Pictures as a browser sets them: letters inside their boxes, nothing asked for from elsewhere, no wider than a phone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import openbook as ob
from tests.browser import browse
from tests.explain.trees.models import TREES, forest, grown

# Of every box: how far its words reach beyond it; of all words: how far beyond the picture, and the smallest letters.
PROBE = """
const svg=document.querySelector('svg.ob-tree'),all=svg.getBoundingClientRect();let out=0,beyond=0,small=99;
svg.querySelectorAll('text').forEach(t=>{const b=t.getBoundingClientRect();
beyond=Math.max(beyond,all.left-b.left,b.right-all.right,all.top-b.top,b.bottom-all.bottom);
small=Math.min(small,parseFloat(getComputedStyle(t).fontSize));
const g=t.closest('[data-node]');if(!g)return;const c=g.querySelector('.card').getBoundingClientRect();
out=Math.max(out,c.left-b.left,b.right-c.right,b.bottom-c.bottom,c.top-b.top)});
return {out,beyond,small,width:innerWidth,scroll:document.documentElement.scrollWidth,
texts:svg.querySelectorAll('text').length,resources:performance.getEntriesByType('resource').length}
"""
LONG = "a feature's name <&> of about a hundred letters, wide ones MMMMWWWW among them, and a number at its end "


@pytest.mark.browser
@pytest.mark.parametrize("name", ["iris", "breast cancer", "missing", "only missing", "diabetes", "one leaf"])
def test_words_stay_in_their_boxes(name: str, tmp_path: Path) -> None:
    assert name in TREES
    fitted = grown(name)
    picture = ob.plot_tree(fitted.model, fitted.X, fitted.y, row=fitted.X[0])
    seen, console = browse(picture.html(), PROBE, tmp_path, 500)
    assert seen["out"] <= 0 and seen["beyond"] <= 0 and seen["small"] >= 10
    assert seen["resources"] == 0 and seen["scroll"] <= seen["width"] and "CONSOLE" not in console
    assert seen["texts"] > 3


@pytest.mark.browser
def test_the_names_of_levels_stay_in_their_boxes(tmp_path: Path) -> None:
    names = np.array([f"{k} {LONG * (k % 3)}" for k in range(20)], object)
    frame, y = pd.DataFrame({"level": names[np.arange(400) % 20]}), np.arange(400) % 20 % 7 > 3
    frame.loc[350:, "level"] = None
    picture = ob.plot_tree(ob.DecisionTreeClassifier(random_state=0).fit(frame, y), frame, y, row=[names[5]])
    seen, _ = browse(picture.html(), PROBE, tmp_path, 500)
    assert seen["out"] <= 0 and seen["beyond"] <= 0 and seen["small"] >= 10


@pytest.mark.browser
@pytest.mark.parametrize("orientation", ["down", "right"])
def test_long_names_stay_in_their_boxes(orientation: str, tmp_path: Path) -> None:
    fitted = grown("their missing")
    names = [f"{LONG}{i}" for i in range(fitted.X.shape[1])]
    classes = ["W" * 60, "a class of very many words " * 4, "日本語のクラス名" * 6]
    picture = ob.plot_tree(fitted.model, fitted.X, fitted.y, row=fitted.X[0], orientation=orientation,
                           feature_names=names, class_names=classes)  # fmt: skip
    seen, _ = browse(picture.html(), PROBE, tmp_path, 500)
    assert seen["out"] <= 0 and seen["beyond"] <= 0


@pytest.mark.browser
@pytest.mark.parametrize("name", ["ours", "many classes", "numbers"])
def test_a_vote_stays_in_its_picture(name: str, tmp_path: Path) -> None:
    fitted = forest(name)
    names = [f"{LONG}{i}" for i in range(fitted.X.shape[1])]
    picture = ob.plot_forest(fitted.model, fitted.X[0], feature_names=names)
    seen, console = browse(picture.html(), PROBE, tmp_path, 500)
    assert seen["beyond"] <= 0 and seen["small"] >= 10
    assert seen["resources"] == 0 and seen["scroll"] <= seen["width"] and "CONSOLE" not in console
