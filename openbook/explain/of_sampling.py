"""Part 5: logits → T → probabilities, what draws are expected to give, and what they gave."""

from __future__ import annotations

from functools import partial

import numpy as np

from openbook.explain.dispatch import explains
from openbook.explain.displays.temperature import TemperatureBars
from openbook.explain.truncation import stage_steps, stages_table
from openbook.expr import Expr, Name, parse
from openbook.record import Step, Table, Witness, Working, given
from openbook.sampling import Draws, Tempered, softmax

__all__ = ["explain_draws", "explain_tempered"]

_SHOWN = 8
COUNTED = "Observed beside expected"
SCALED, EXPS, PROBS, COUNTS, LIMITS = (
    "Logits divided by T",
    "Exponentials and their sum",
    "Probabilities",
    "Expected in n draws",
    "The limits",
)


@explains(Tempered)
def explain_tempered(result: Tempered) -> Working:
    """Show softmax(z/T) token by token, with expected counts and their spread, and what T → 0 and T → ∞ would give."""
    order = np.argsort(-result.logits, kind="stable")
    shown = order[:_SHOWN]
    temperature = given("T", result.temperature, "temperature", SCALED)
    steps: list[Step] = [temperature]
    ordinary = 0 < result.temperature < np.inf
    if ordinary:
        steps += _softmax_steps(result, shown, temperature)
    else:
        steps += _limit_steps(result, shown)
    probabilities = {s.name: s for s in steps}
    steps += _count_steps(result, shown, probabilities)
    cold, hot = softmax(result.logits, 0.0), softmax(result.logits, np.inf)
    warmer = tuple(t for t in (0.0, 0.5, 1.0, 2.0, np.inf))
    return Working(
        title=f"Softmax at temperature {result.temperature:g}",
        question="How likely is each token, and how often will it come?",
        steps=tuple(steps),
        result=dict(zip(result.tokens, result.p.tolist(), strict=True)) if len(order) <= 50 else result.p,
        tables=(_table(result, order[:50]), _limits_table(result, shown, warmer)),
        notes=_lesson(result, cold, hot),
        displays=(TemperatureBars(result.logits[shown], tuple(result.tokens[i] for i in shown)),),
    )


def _softmax_steps(result: Tempered, shown: np.ndarray, T: Step) -> list[Step]:
    scaled, exps = [], []
    for i in shown:
        token = result.tokens[i]
        z = given(f"z_{token}", float(result.logits[i]), part=SCALED)
        s = Step(f"s_{token}", float(result.logits[i] / result.temperature), Name(z.name) / Name("T"), (z, T), part=SCALED,
                 rule="logit over T")  # fmt: skip
        scaled += [s]
        exps.append(Step(f"e_{token}", float(np.exp(s.value)), parse("exp(a)").rename({"a": s.name}), (s,), part=EXPS,
                         rule="exponential"))  # fmt: skip
    total: Expr = Name(exps[0].name)
    for e in exps[1:]:
        total = total + Name(e.name)
    inputs, value = list(exps), sum(e.value for e in exps)
    others = np.argsort(-result.logits, kind="stable")[len(shown) :]
    if len(others):
        rest = Step(f"{len(others)} others", float(np.exp(result.logits[others] / result.temperature).sum()), part=EXPS,
                    rule="sum of their exponentials")  # fmt: skip
        inputs.append(rest)
        total = total + Name(rest.name)
        value += rest.value
    Z = Step("Z", value, total, tuple(inputs), rule="sum", part=EXPS)
    own = result.p
    probabilities = [
        Step(f"p_{result.tokens[i]}", float(own[i]), Name(e.name) / Name("Z"), (e, Z), rule="softmax", part=PROBS,
             witnesses=(Witness("SciPy's softmax", partial(_scipy, result, i), rtol=1e-12, atol=1e-300),))
        for i, e in zip(shown, exps, strict=True)
    ]  # fmt: skip
    return [*scaled, *inputs, Z, *probabilities]


def _scipy(result: Tempered, i: int) -> float:
    import scipy.special

    return float(scipy.special.softmax(result.logits / result.temperature)[i])


def _limit_steps(result: Tempered, shown: np.ndarray) -> list[Step]:
    """At T = 0 and T = ∞ nothing is divided: the limit itself is stated."""
    largest = float(result.logits.max())
    sharing = (
        int(np.sum(result.logits == largest)) if result.temperature == 0 else int(np.isfinite(result.logits).sum())
    )
    why = "share the largest logit" if result.temperature == 0 else "are possible"
    count = given("k", sharing, f"tokens {why}", PROBS)
    return [
        count,
        *(
            Step(f"p_{result.tokens[i]}", float(result.p[i]), parse("1/k" if result.p[i] > 0 else "0"),
                 (count,) if result.p[i] > 0 else (), rule="limit", part=PROBS)
            for i in shown
        ),
    ]  # fmt: skip


def _count_steps(result: Tempered, shown: np.ndarray, known: dict[str, Step]) -> list[Step]:
    n = given("n", result.n, "independent draws", COUNTS)
    steps = [n]
    for i in shown[:5]:
        p = known[f"p_{result.tokens[i]}"]
        steps.append(Step(f"E_{result.tokens[i]}", float(result.expected[i]), Name("n") * Name(p.name), (n, p),
                          rule="expected count", part=COUNTS))  # fmt: skip
        spread = parse("sqrt(n*a*(1 - a))").rename({"a": p.name})
        steps.append(
            Step(f"sd_{result.tokens[i]}", float(result.spread[i]), spread, (n, p), rule="binomial spread", part=COUNTS)
        )
    return steps


def _table(result: Tempered, shown: np.ndarray) -> Table:
    rows = tuple(
        (
            result.tokens[i],
            float(result.logits[i]),
            float(result.p[i]),
            float(result.expected[i]),
            float(result.spread[i]),
        )
        for i in shown
    )
    top = int(np.argmax([r[2] for r in rows]))
    return Table(
        f"{result.n} draws at T = {result.temperature:g}",
        ("token", "logit", "p", "expected", "± sd"),
        rows,
        marked=(top,),
    )


def _limits_table(result: Tempered, shown: np.ndarray, temperatures: tuple[float, ...]) -> Table:
    columns = [softmax(result.logits, t) for t in temperatures]
    rows = tuple((result.tokens[i], *(float(c[i]) for c in columns)) for i in shown)
    return Table(
        "From deterministic to uniform",
        ("token", *(f"T = {t:g}" if np.isfinite(t) else "T = ∞" for t in temperatures)),
        rows,
    )


def _lesson(result: Tempered, cold: np.ndarray, hot: np.ndarray) -> tuple[str, ...]:
    top = [result.tokens[i] for i in np.flatnonzero(cold > 0)]
    shared = " and ".join(top[:4])
    return (
        f"Most likely is {result.tokens[int(np.argmax(result.p))]}. Towards T = 0 all probability goes to {shared}"
        f"{' in equal shares' if len(top) > 1 else ''} (deterministic); towards T = ∞ each of the {int((hot > 0).sum())} "
        f"possible tokens gets {hot.max():.4g} (exploratory). Undecidedness here: {result.entropy:.3g} bits of at most "
        f"{np.log2((hot > 0).sum()):.3g}.",
    )


@explains(Draws)
def explain_draws(result: Draws) -> Working:
    """Show the counts of real draws beside the expected ones, and how surprising the difference is."""
    t = result.tempered
    shown = np.lexsort((-result.logits, -t.p))[:50]
    before = list(stage_steps(result)) if result.rules else []
    observed, wanted = (
        given("O", result.counts.astype(float), "observed counts", COUNTED),
        given("E", t.expected, "expected counts", COUNTED),
    )
    statistic = Step(
        "χ²",
        result.chi_square,
        rule="Σ(O − E)²/E, rare tokens pooled",
        why=f"{result.degrees} degrees of freedom",
        part=COUNTED,
        witnesses=(
            Witness("SciPy's chisquare of the pooled counts", partial(_chisquare, result), rtol=1e-9, atol=1e-12),
        ),
    )
    chance = Step("p-value", result.p_value, rule="chi-square tail", part=COUNTED,
                  why="the chance of a difference this large if the draws are fair",
                  witnesses=(Witness("mpmath's incomplete gamma function", lambda: _tail(result), rtol=1e-9),))  # fmt: skip
    return Working(
        title=f"{t.n} draws beside what was expected", question="Are these counts what the probabilities promise?",
        steps=(*before, observed, wanted, statistic, chance), result=dict(zip(t.tokens, result.counts.tolist(), strict=True)),
        tables=(stages_table(result, shown),),
    )  # fmt: skip


def _chisquare(result: Draws) -> float:
    """Pooled again, token by token, and given to SciPy."""
    import scipy.stats

    counts, expected, rare = [], [], [0.0, 0.0]
    for observed, wanted in zip(result.counts, result.tempered.expected, strict=True):
        if wanted >= 5:
            counts.append(float(observed))
            expected.append(float(wanted))
        elif wanted > 0:
            rare = [rare[0] + float(observed), rare[1] + float(wanted)]
    if rare[1] > 0:
        counts.append(rare[0])
        expected.append(rare[1])
    total = sum(counts) / sum(expected)
    return (
        float(scipy.stats.chisquare(counts, [e * total for e in expected]).statistic)
        if len(counts) > 1
        else sum((c - e) ** 2 / e for c, e in zip(counts, expected, strict=True))
    )


def _tail(result: Draws) -> float:
    import mpmath

    if result.degrees < 1:
        return 1.0
    return float(
        mpmath.gammainc(mpmath.mpf(result.degrees) / 2, mpmath.mpf(result.chi_square) / 2, mpmath.inf, regularized=True)
    )
