"""The eight parts of the report, each told with this table's own numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from openbook import nn
from openbook.decide import reliability
from openbook.explain import explain
from openbook.explain.displays.training import LossCurves
from openbook.ops import vocabulary as word
from openbook.record import Table, Working
from openbook.sampling import temper
from openbook.study.models import Network
from openbook.study.study import Study
from openbook.tensor import Tensor, step_sweep

__all__ = ["Part", "eight_parts"]

_ROWS_CHECKED = 64
_ROWS_FOLLOWED = 256


@dataclass(frozen=True, eq=False)
class Part:
    """A chapter of the report: what it says and shows, and the workings that fold open below it."""

    title: str
    text: tuple[str, ...]
    workings: tuple[Working, ...] = ()
    tables: tuple[Table, ...] = ()
    displays: tuple[Any, ...] = ()
    pictured: int = 1  # so many of the workings show their plots above the folds


def eight_parts(study: Study, told: Callable[[str], None] = lambda title: None) -> tuple[Part, ...]:
    """All eight, in the order of the examination they come from; `told(title)` is called before each."""
    parts = []
    for title, tell in _PARTS:
        told(title)
        text, *rest = tell(study)
        parts.append(Part(title, text, *rest))
    return tuple(parts)


# --- 1 -------------------------------------------------------------------------------------------------------------


def _gradients(study: Study) -> tuple:
    network = _network(study)
    x, y = _rows(study, _ROWS_CHECKED)
    start = np.concatenate([p.data.ravel() for p in network.net.parameters()]).astype(np.float64)
    sweep = step_sweep(
        lambda flat: network.criterion(_forward(network.net, x, flat), y), start, seed=study.options.seed
    )
    working = explain(sweep)
    text = (
        f"The trained network's gradient on {len(x.data)} of the training rows, by reverse mode and by central differences "
        f"along a random direction through all {sweep.entries} parameters. At the best step both agree to a relative error "
        f"of {sweep.agreement:.1e}.",
        f"By differences, the whole gradient would cost {2 * sweep.entries:,} forward passes for every training step.",
    )
    return text, (working,)


def _forward(net: nn.Sequential, x: Tensor, flat: Tensor) -> Any:
    """The network as a function of all its parameters in one vector."""
    place = 0
    h: Any = x
    for layer in net:
        if isinstance(layer, nn.Linear):
            shape = layer.weight.shape
            W = flat[place : place + layer.weight.data.size].reshape(*shape)
            place += layer.weight.data.size
            h = word.linear(h, W, flat[place : place + shape[0]])
            place += shape[0]
        elif not isinstance(layer, nn.Dropout):
            h = layer(h)
    return h


# --- 2 -------------------------------------------------------------------------------------------------------------


def _newton(study: Study) -> tuple:
    line = study.models["linear"].model
    names = list(study.task.design.names)
    row = study.task.test.design[study.row]
    fit = explain(line, names=[*names, "intercept"]) if study.task.kind == "regression" else explain(line)
    one = explain(line, row=row, names=names)
    text = (
        f"The linear model: {study.models['linear'].how}. "
        + (
            "Squared error is a quadratic, so one step lands on the solution from any start."
            if study.task.kind == "regression"
            else "Log loss is no quadratic, so it takes a few steps; each solves a least-squares problem."
        ),
        f"Below, the fit step by step, and row {_place(study)} of the held-out rows: what each column adds.",
    )
    return text, (fit, _titled(one, f"Row {_place(study)}, column by column")), (), (), 2


# --- 3 -------------------------------------------------------------------------------------------------------------


def _training(study: Study) -> tuple:
    network, straight = _network(study), study.straight.model
    curves = {"network": _curve(network), "without activations": _curve(straight)}
    count = explain(network.net)
    affine = explain(straight.net, inputs=study.task.train.design[:50])
    score = _first_score(study)
    rows = tuple((name, study.scores[name][score]) for name in ("linear", "straight net", "network"))
    table = Table(f"{score} on held-out rows", ("model", score), rows,
                  note="without activations a network is one affine map, however many layers it has")  # fmt: skip
    text = (
        f"The network ({study.models['network'].how}) learns {count.result:,} numbers.",
        "Beside it the same network without its activations. It has as many parameters and is trained the same way, but it "
        "collapses into a single affine map: whatever it learns, the linear model could have learnt.",
    )
    workings = (
        _titled(count, "How many numbers the network learns"),
        _titled(affine, "Without activations it is one affine map"),
    )
    return text, workings, (table,), (LossCurves(curves),)


def _curve(network: Network) -> tuple[list[float], list[float], int]:
    return network.history.train, network.history.validation, network.history.best


# --- 4 -------------------------------------------------------------------------------------------------------------


def _ledger(study: Study) -> tuple:
    network = _network(study)
    net = _double(network)
    x, y = _one_row(study)
    loss = network.criterion(net(x), y)
    working = explain(loss, wrt="0.weight", model=net, names={"x": x})
    entry = working.title.partition("[")[2].partition("]")[0].split(", ")
    column = study.task.design.names[int(entry[1])] if len(entry) == 2 else ""
    text = (
        f"One weight of the first layer for one row (row {_place(study)}): the weight from {column} to hidden unit {entry[0]}. "
        "Its gradient is what arrives from the loss (upstream) times what this step does (local), level by level; where "
        "several paths meet, their products are added.",
    )
    loss = _titled(_of_row(study), "The loss of this row, from the network's output on")
    return text, (working, loss)


def _of_row(study: Study) -> Working:
    """The loss of the followed row as a formula of the network's outputs."""
    x, y = _one_row(study)
    logits = _double(_network(study))(x).data.ravel()
    if study.task.kind == "regression":
        return explain("(y - z)**2", z=float(logits[0]), y=float(y.data.ravel()[0]), wrt="z")
    own = int(study.task.test.y[study.row])
    if study.task.kind == "two":
        return explain("-(y*log(sigmoid(z)) + (1 - y)*log(1 - sigmoid(z)))", z=float(logits[0]), y=own, wrt="z")
    values = {f"z_{c}": float(z) for c, z in enumerate(logits)}
    return explain(f"log({' + '.join(f'exp({name})' for name in values)}) - z_{own}", **values)


# --- 5 -------------------------------------------------------------------------------------------------------------


def _temperature(study: Study) -> tuple:
    if study.task.kind == "regression":
        return (("The target is a number: there are no logits, and temperature does not apply.",),)
    fitted = study.models["network"]
    assert fitted.scaling is not None
    logits = fitted.raw(study.task.test)[study.row]
    labels = study.task.target.labels
    t = fitted.scaling.temperature
    own = "about right" if 0.95 < t < 1.05 else "too timid" if t < 1 else "too sure"
    text = (
        f"The network's logits for row {_place(study)}, divided by a temperature before the softmax. On the validation rows "
        f"T = {t:.3f} makes its probabilities least surprising: its own were {own}.",
    )
    return text, (explain(temper(logits, t, tokens=labels)), explain(fitted.scaling))


# --- 6 -------------------------------------------------------------------------------------------------------------


def _shrinkage(study: Study) -> tuple:
    network = _network(study)
    x, y = _rows(study, _ROWS_FOLLOWED)
    working = explain(_double(network), x, y, about="gradients", loss=network.criterion)
    text = (
        f"On {len(x.data)} training rows, {working.result['shrinkage']:.3g} of the gradient at the output is left at the first "
        "layer. What took the rest is split into the slopes of the activations and the weights between them.",
        "A sigmoid in place of each ReLU would pass on a quarter at most.",
    )
    workings = (
        _titled(working, "The gradient on its way back through the network"),
        explain(nn.ReLU()),
        explain(nn.Sigmoid()),
    )
    return text, workings


# --- 7 -------------------------------------------------------------------------------------------------------------


def _forest(study: Study) -> tuple:
    forest, task = study.models["forest"].model, study.task
    x = task.test.tree[study.row]
    names = list(task.tree.names)
    if task.kind == "regression":
        working = explain(forest, row=x, names=names, condition=task.tree.condition)
        told = (
            f"Row {_place(study)} through {len(forest)} trees: each leaf holds the mean target of the training rows in it, "
            f"and the forest predicts their mean, {working.result:.4g}."
        )
        return (told,), (working,)
    proba = forest.predict_proba(x[None], voting="soft")[0]
    of = task.target.classes - 1 if task.kind == "two" else int(np.argmax(proba))
    label = task.target.labels[of]
    working = explain(forest, row=x, names=names, of=of, labels=task.target.labels, condition=task.tree.condition)
    text = (
        f"Row {_place(study)} through {len(forest)} trees. In each it ends in a leaf; the share of {label} among the training rows "
        f"there is that tree's probability. Their mean is {working.result['soft']:.4f} (soft); counting each tree as one vote "
        f"gives {working.result['hard']:.4f} (hard).",
        f"Out of bag, the forest is right on {forest.oob_score_:.1%} of the training rows.",
    )
    return text, (working,)


# --- 8 -------------------------------------------------------------------------------------------------------------


def _decision(study: Study) -> tuple:
    if study.task.kind == "regression":
        return (("The target is a number: nothing is called positive, and no threshold applies.",),)
    if study.task.kind == "many":
        return (
            (
                f"There are {study.task.target.classes} classes; each row is given its likeliest, and no single threshold applies. "
                "A threshold belongs to a question with two answers: study one class against the rest to ask it.",
            ),
        )
    best = study.thresholds[study.chosen]
    p = study.predictions(study.chosen)[:, 1]
    table = _threshold_table(study)
    text = (
        f"The {study.chosen} did best on the validation rows, so its threshold is chosen there: calling {study.task.target.positive} "
        f"when p ≥ {best.threshold:.3f} gives the largest {best.metric}, {best.value:.4f}. On the held-out rows the same threshold "
        f"gives {study.scores[study.chosen][f'{best.metric} at T']:.4f}.",
    )
    return text, (explain(best), explain(reliability(study.task.test.y, p))), (table,), (), 2


def _threshold_table(study: Study) -> Table:
    rows = tuple(
        (name, b.threshold, f"({b.lower:.4g}, {b.upper:.4g}]", b.value, study.scores[name][f"{b.metric} at T"])
        for name, b in study.thresholds.items()
    )
    metric = str(study.thresholds[study.chosen].metric)
    marked = tuple(i for i, row in enumerate(rows) if row[0] == study.chosen)
    return Table(
        "Thresholds chosen on validation rows",
        ("model", "T", "interval", f"{metric} there", "held out"),
        rows,
        marked=marked,
    )


# --- what several parts need ---------------------------------------------------------------------------------------


def _titled(working: Working, title: str) -> Working:
    return replace(working, title=title)


def _network(study: Study) -> Network:
    return study.models["network"].model


def _double(network: Network) -> nn.Sequential:
    """The network in float64, for workings whose digits can be checked."""
    import copy

    net = copy.deepcopy(network.net).double().eval()
    assert isinstance(net, nn.Sequential)
    return net


def _rows(study: Study, n: int) -> tuple[Tensor, Tensor]:
    network, train = _network(study), study.task.train
    return Tensor(train.design[:n]), Tensor(network.targets(train.y[:n], study.task.kind, np.float64))


def _one_row(study: Study) -> tuple[Tensor, Tensor]:
    network, test = _network(study), study.task.test
    row = slice(study.row, study.row + 1)
    return Tensor(test.design[row]), Tensor(network.targets(test.y[row], study.task.kind, np.float64))


def _place(study: Study) -> int:
    """The followed row's place in its table, counted from 1."""
    return int(study.task.test.places[study.row]) + 1


def _first_score(study: Study) -> str:
    return next(iter(study.scores["linear"]))


_PARTS: tuple[tuple[str, Callable[[Study], tuple]], ...] = (
    ("Is the gradient right?", _gradients),
    ("The linear model, by Newton", _newton),
    ("The network, and what its activations are for", _training),
    ("One weight, followed back by hand", _ledger),
    ("Logits and temperature", _temperature),
    ("How much gradient arrives", _shrinkage),
    ("One row through the forest", _forest),
    ("The threshold", _decision),
)
