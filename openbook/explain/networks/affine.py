"""Part 3: a net without activations is one affine map; what that map is, and what it can never learn."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.errors import ExplainError
from openbook.explain.displays.boundary import DecisionBoundary
from openbook.explain.ledgers.graphs import key_of, trace_back
from openbook.expr import Name, parse
from openbook.nn import Linear, Module, MSELoss, Sequential
from openbook.nn.activations import Activation, Tanh
from openbook.optim import SGD
from openbook.record import Step, Table, Witness, Working, given
from openbook.tensor import Tensor, as_tensor, manual_seed, no_grad
from openbook.tensor.autograd import GraphNode

__all__ = ["explain_affine", "rate_of_success"]

# Operations that keep an affine map affine, whatever their constant inputs are.
_AFFINE = {"linear", "add", "sub", "neg", "reshape", "permute", "broadcast_to", "getitem", "sum", "mean", "cast"}
TRACE, COLLAPSED, BEST, XOR, FIX = (
    "What it computes",
    "Collapsed to one layer",
    "The best any affine map can do here",
    "Why no affine map can do this",
    "The smallest change that can",
)


def explain_affine(
    model: Module,
    inputs: Any,
    targets: Any = None,
    fix: type[Activation] | None = Tanh,
    seeds: int = 20,
    epochs: int = 1000,
    lr: float = 0.1,
) -> Working:
    """Show whether a network is affine; if so its collapsed W and b, the least loss any affine map reaches on these
    data, and how often the same network with an activation between its layers learns them.

    The fix is tried from `seeds` different initial weights, `epochs` steps of momentum SGD at rate `lr` each; `fix=None`
    leaves it out. A run counts as learnt, and ends, once its loss is below a tenth of the best affine one.
    """
    x = np.asarray(as_tensor(inputs).data, dtype=np.float64)
    if x.ndim != 2:
        raise ExplainError(f"the affine question is about rows of features, not shape {x.shape}")
    twin = copy.deepcopy(model).double()
    bends = _bending_operations(twin, x)
    if bends:
        return _not_affine(model, bends)
    W, b = _collapse(twin, x.shape[1])
    steps = [given("bending operations", 0, "none of the operations recorded bends", TRACE), *_product(twin, W, b, x)]
    tables: list[Table] = []
    notes = ["A composition of affine maps is affine: f(x) = W₂(W₁x + b₁) + b₂ = (W₂W₁)x + (W₂b₁ + b₂)."]
    result: dict[str, Any] = {"affine": True, "W": W, "b": b}
    if targets is not None:
        y = np.asarray(as_tensor(targets).data, dtype=np.float64).reshape(len(x), -1)
        best = _best_affine(x, y)
        steps += best
        result["best affine loss"] = best[-1].value
        if (contradiction := _parallelogram(x, y)) is not None:
            steps += contradiction[0]
            notes.append(contradiction[1])
        if fix is not None:
            rate, table = rate_of_success(model, x, y, fix, seeds, epochs, lr, best[-1].value)
            steps += rate
            tables.append(table)
            result["rate with the fix"] = rate[-1].value
            notes.append(
                f"With {fix.__name__} between the layers the same network learns these data from {rate[0].value} of "
                f"{seeds} starting points: a rate, not one lucky run."
            )
    return Working(
        title=f"{type(model).__name__} is affine",
        question="Can this network learn anything but a flat boundary?",
        steps=tuple(steps), result=result, tables=tuple(tables), notes=tuple(notes),
        displays=() if targets is None else _drawn(best, x, y),
    )  # fmt: skip


def _drawn(solved: Sequence[Step], x: np.ndarray, y: np.ndarray) -> tuple[DecisionBoundary, ...]:
    """The best affine map over the plane, where there is a plane: no line parts the rows of XOR."""
    if x.shape[1] != 2 or y.shape[1] != 1 or len(np.unique(y)) != 2:
        return ()
    theta = next(step.value for step in solved if step.name == "θ")

    def best(points: np.ndarray) -> np.ndarray:
        return (np.column_stack([points, np.ones(len(points))]) @ theta)[:, 0]

    return (DecisionBoundary.from_function(best, x, y, level=float(np.mean(np.unique(y)))),)


def _bending_operations(model: Module, x: np.ndarray) -> list[str]:
    """The recorded operations that make the output more than an affine function of the input."""
    probe = Tensor(x.copy(), requires_grad=True)
    output = model(probe)
    nodes = trace_back(output)
    depends: set[int] = {id(probe)}
    bends = []
    for node in nodes:
        carried = [key_of(v) in depends for v in node.require()]
        if not any(carried):
            continue
        depends.add(id(node))
        if not _keeps_affine(node, carried):
            bends.append(node.op.name)
    return list(dict.fromkeys(bends))


def _keeps_affine(node: GraphNode, carried: list[bool]) -> bool:
    if node.op.name in ("mul", "matmul"):
        return sum(carried) == 1  # a constant times the input
    if node.op.name == "div":
        return carried == [True, False]
    if node.op.name == "linear":
        return carried[0] and not carried[1]
    return node.op.name in _AFFINE


def _not_affine(model: Module, bends: list[str]) -> Working:
    count = given("bending operations", len(bends), f"{', '.join(bends)} on the way from input to output", TRACE)
    return Working(
        title=f"{type(model).__name__} is not affine",
        question="Can this network learn anything but a flat boundary?",
        steps=(count,), result={"affine": False, "bends": bends},
        notes=(f"It bends at {', '.join(bends)}, so it is not bound to flat boundaries.",),
    )  # fmt: skip


def _collapse(model: Module, features: int) -> tuple[np.ndarray, np.ndarray]:
    """W and b of the affine map, read off at the origin and the unit vectors."""
    with no_grad():
        b = model(Tensor(np.zeros((1, features)))).data[0]
        W = model(Tensor(np.eye(features))).data - b
    return W.T, b


def _product(model: Module, W: np.ndarray, b: np.ndarray, x: np.ndarray) -> list[Step]:
    """The collapsed map as the product of its layers, or as read off where layers are not in a simple row."""
    layers = [(m, m.bias) for m in model.modules() if isinstance(m, Linear) and m.bias is not None]
    if len(layers) < 2 or not _in_a_row([m for m, _ in layers], W):
        return _read_off(model, W, b, x)
    steps: list[Step] = []
    weight = bias = None
    for i, (layer, own) in enumerate(layers, 1):
        Wi = given(_sub("W", i), layer.weight.data, f"layer {i}", COLLAPSED)
        bi = given(_sub("b", i), own.data, "", COLLAPSED)
        steps += [Wi, bi]
        if weight is None or bias is None:
            weight, bias = Wi, bi
            continue
        last = i == len(layers)
        product = Step("W" if last else f"W_1…{i}", Wi.value @ weight.value, Name(Wi.name) @ Name(weight.name), (Wi, weight),
                       rule="product of the layers", part=COLLAPSED,
                       witnesses=(Witness("f(unit vectors) − f(0)", lambda: W),) if last else ())  # fmt: skip
        shift = Step("b" if last else f"b_1…{i}", Wi.value @ bias.value + bi.value,
                     Name(Wi.name) @ Name(bias.name) + Name(bi.name), (Wi, bias, bi), rule="the biases carried through",
                     part=COLLAPSED, witnesses=(Witness("f(0)", lambda: b),) if last else ())  # fmt: skip
        steps += [product, shift]
        weight, bias = product, shift
    return steps


def _sub(letter: str, i: int) -> str:
    return f"{letter}_{i}"


def _in_a_row(layers: Sequence[Linear], W: np.ndarray) -> bool:
    """Whether the layers, one after the other, are the whole map."""
    product = layers[0].weight.data
    for layer in layers[1:]:
        if layer.weight.data.shape[1] != product.shape[0]:
            return False
        product = layer.weight.data @ product
    return product.shape == W.shape and bool(np.allclose(product, W))


def _read_off(model: Module, W: np.ndarray, b: np.ndarray, x: np.ndarray) -> list[Step]:
    def elsewhere() -> np.ndarray:
        with no_grad():
            return model(Tensor(x)).data

    Ws, bs, xs = given("W", W, "f(unit vectors) − f(0)", COLLAPSED), given("b", b, "f(0)", COLLAPSED), given("x", x)
    value = x @ W.T + b
    whole = Step("f", value, parse("x @ transpose(W) + b"), (xs, Ws, bs), rule="affine map", part=COLLAPSED,
                 witnesses=(Witness("the network itself on all rows", elsewhere, rtol=1e-9, atol=1e-12),))  # fmt: skip
    return [Ws, bs, whole]


def _best_affine(x: np.ndarray, y: np.ndarray) -> list[Step]:
    """Least squares on these rows: no affine map has a smaller mean squared error."""
    A = np.column_stack([x, np.ones(len(x))])
    theta, *_ = np.linalg.lstsq(A, y, rcond=None)
    residual = y - A @ theta
    loss = float(np.mean(residual**2))
    normal = float(np.max(np.abs(A.T @ residual)))
    rows, targets = given("A", A, "the rows, with a 1 for the bias", BEST), given("y", y, "", BEST)
    solution = Step("θ", theta, rule="least squares", part=BEST, why="weights, then bias",
                    witnesses=(Witness("the pseudo-inverse", lambda: np.linalg.pinv(A) @ y, rtol=1e-8, atol=1e-10),))  # fmt: skip
    left = Step(
        "r", residual, parse("y - A @ t").rename({"t": "θ"}), (targets, rows, solution), rule="residual", part=BEST
    )
    certificate = Step("largest |Aᵀr|", normal, parse("max(abs(transpose(A) @ r))"), (rows, left), rule="certificate",
                       why="zero: the residual is at right angles to everything an affine map could add, so none is better",
                       part=BEST, witnesses=(Witness("zero, to rounding", lambda: 0.0, atol=1e-9 * (1 + np.abs(A).sum())),))  # fmt: skip
    mean = Step("least loss", loss, parse("mean(r**2)"), (left,), rule="mean squared error", part=BEST,
                why="no choice of weights and bias, and no training, goes below this")  # fmt: skip
    return [rows, targets, solution, left, certificate, mean]


def _parallelogram(x: np.ndarray, y: np.ndarray) -> tuple[list[Step], str] | None:
    """Two pairs of rows with one midpoint, whose targets average differently: no affine map can fit both."""
    if len(x) > 200 or y.shape[1] != 1:
        return None
    target = y[:, 0]
    pairs = [(i, j) for i in range(len(x)) for j in range(i + 1, len(x))]
    middles: dict[tuple[float, ...], list[tuple[int, int]]] = {}
    for i, j in pairs:
        middles.setdefault(tuple(np.round((x[i] + x[j]) / 2, 12)), []).append((i, j))
    for middle, meeting in middles.items():
        for a, b in ((p, q) for p in meeting for q in meeting if p < q):
            if target[list(a)].sum() != target[list(b)].sum():
                return _contradiction(x, target, a, b, middle)
    return None


def _contradiction(
    x: np.ndarray, y: np.ndarray, a: tuple[int, int], b: tuple[int, int], middle: tuple[float, ...]
) -> tuple[list[Step], str]:
    def place(i: int) -> str:
        return f"y({', '.join(f'{v:g}' for v in x[i])})"

    def total(name: str, pair: tuple[int, int]) -> list[Step]:
        ends = [given(place(i), float(y[i]), "wanted", XOR) for i in pair]
        why = f"opposite corners, midpoint ({', '.join(f'{v:g}' for v in middle)})"
        formula = Name(ends[0].name) + Name(ends[1].name)
        return [*ends, Step(name, float(y[list(pair)].sum()), formula, tuple(ends), rule="sum", why=why, part=XOR)]

    first, second = total("one diagonal", a), total("the other", b)
    gap = Step("difference", first[-1].value - second[-1].value, Name("one diagonal") - Name("the other"),
               (first[-1], second[-1]), rule="must be 0", why="for affine f both sums are 2·f(midpoint)", part=XOR)  # fmt: skip
    point = ", ".join(f"{v:g}" for v in middle)
    same = y[a[0]] == y[a[1]] and y[b[0]] == y[b[1]]
    hulls = f" The hulls of the two classes meet at ({point}), so no flat boundary parts them." if same else ""
    note = (
        f"For any affine f the values at opposite corners of a parallelogram have equal sums, here "
        f"f({point}) twice; the targets want {first[-1].value:g} and {second[-1].value:g}.{hulls}"
    )
    return [*first, *second, gap], note


def rate_of_success(
    model: Module,
    x: np.ndarray,
    y: np.ndarray,
    fix: type[Activation],
    seeds: int,
    epochs: int,
    lr: float,
    floor: float,
) -> tuple[list[Step], Table]:
    """Train the network with an activation after every linear layer but the last, from many starting points."""
    goal = floor / 10
    runs = [_train_fixed(model, x, y, fix, seed, epochs, lr, goal) for seed in range(seeds)]
    succeeded = sum(loss < goal for _, loss in runs)
    learnt, tried = given("learnt", succeeded, f"loss below {goal:.3g}", FIX), given("tried", seeds, "seeds", FIX)
    rate = Step("rate", succeeded / seeds, parse("learnt/tried"), (learnt, tried), rule="share of seeds", part=FIX,
                why=f"{fix.__name__} between the layers, at most {epochs} steps of SGD, lr {lr:g}, momentum 0.9")  # fmt: skip
    rows = tuple((seed, n, loss, "learnt" if loss < goal else "stuck") for seed, (n, loss) in enumerate(runs))
    return [learnt, tried, rate], Table(f"The same network with {fix.__name__}", ("seed", "steps", "loss", ""), rows)


def _train_fixed(
    model: Module, x: np.ndarray, y: np.ndarray, fix: type[Activation], seed: int, epochs: int, lr: float, goal: float
) -> tuple[int, float]:
    """Steps taken, and the loss before the last of them."""
    manual_seed(seed)
    net = with_activations(model, fix)
    optimizer, criterion = SGD(net.parameters(), lr=lr, momentum=0.9), MSELoss()
    inputs, targets = Tensor(x), Tensor(y)
    value = np.inf
    for step in range(epochs):
        optimizer.zero_grad()
        loss = criterion(net(inputs), targets)
        value = float(loss)
        if value < goal:
            return step, value
        loss.backward()
        optimizer.step()
    return epochs, value


def with_activations(model: Module, fix: type[Activation]) -> Module:
    """A fresh copy with new weights and an activation after every linear layer but the last."""
    net = copy.deepcopy(model).double()
    places = [(parent, name, part) for parent in list(net.modules()) for name, part in _linear_parts(parent)]
    if len(places) < 2:
        raise ExplainError(
            "a network with one linear layer has no place between layers for an activation", do="pass fix=None"
        )
    for _, _, part in places:
        part.reset_parameters()
    for parent, name, part in places[:-1]:
        setattr(parent, name, Sequential(part, fix()))
    return net


def _linear_parts(parent: Module) -> list[tuple[str, Linear]]:
    return [(name, part) for name, part in parent.__dict__["_modules"].items() if isinstance(part, Linear)]
