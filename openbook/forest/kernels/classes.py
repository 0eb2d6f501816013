"""The best split of three classes and more: rows in the order of their values, moved from right to left one by one.

Nothing here has a line for each class and value, so that a thousand classes cost what ten do. A row's record holds its class
in 16 bits above the place, and its weight above that. `terms` is None for Gini's impurity: nothing of the entropy is compiled
then. What differs in every row (most features of small nodes do) is moved without asking where a value ends.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import inlined, inner, u64
from openbook.forest.kernels.pairs import FEATURE, HIGH, LOW, MISSED, SIDE, SPOT, keep_best
from openbook.forest.kernels.places import ALL_AGAINST_ALL, NOWHERE, gather_ranks, last_place, rank_at, stand
from openbook.forest.kernels.rows import ID_BITS, MISSING_BIN, MISSING_RANK
from openbook.forest.kernels.scores import goes_to, term

__all__ = ["class_sums", "classes_large", "classes_small", "describe"]

_0, _1, _16, _28 = u64(0), u64(1), u64(16), u64(28)
_CLASS = u64(0xFFFF)
_FEW = u64(32)  # rows: of fewer, one loop tries every boundary


@inlined
def class_sums(values, begin, end, sums):
    """The weight of each class among these records; `sums` is cleared first."""
    sums[:] = 0
    for k in range(u64(begin), u64(end)):
        sums[(values[k] >> ID_BITS) & _CLASS] += np.int64(values[k] >> _28)


@inlined
def describe(sums, node, exact, terms, scale):
    """Fill `node` with a node's weight and its sum over classes; return its score, and how many classes it has."""
    total, found, whole, present = np.int64(0), 0.0, np.int64(0), 0
    for c in range(len(sums)):
        w = sums[c]
        total += w
        present += w > 0
        if terms is not None:
            whole += term(w, terms, scale)
        elif exact:
            whole += w * w
        else:
            found += np.float64(w) * np.float64(w)
    node[0], node[1] = total, whole
    if terms is not None:
        return np.float64(whole - term(total, terms, scale)), present
    return (np.float64(whole) if exact else found) / np.float64(total), present


@inlined
def classes_small(records, begin, end, f, spot, sums, limits, exact, terms, scale, room):
    """Try every boundary between the values a small node has of feature f; whether there is any.

    The rows' ranks are left in `room.ranked` from `spot` on.
    """
    ranked, places, first, rows, best = room.ranked, room.places, u64(begin), u64(end - begin), room.best
    lowest, highest = gather_ranks(records, first, rows, room.local, u64(f) << ID_BITS, ranked, spot)
    if lowest == highest:
        return False
    stand(ranked, spot, rows, lowest, highest, ALL_AGAINST_ALL, places, room.seen, room.groups, room.before)
    missed = highest == MISSING_RANK
    plain = exact if terms is None else goes_to(room.node[0], terms)
    if plain and not missed and all_differ(records, first, rows, places, spot, room.ordered):
        if rows <= _FEW and limits[0] <= 1 and limits[1] <= 0:
            choose_at_once(rows - _1, f, sums, terms, room)
        else:
            choose_each(np.int64(rows) - 1, f, room.ordered, sums, room.left, room.rights, room.node, room.sums, room.total,
                        limits, terms, best, room.figures)  # fmt: skip
    else:
        last, known = last_place(ranked, places, spot, rows, missed)
        order_places(records, first, rows, spot, room)
        choose_grouped(last, known, f, sums, limits, exact, terms, scale, room)
    if best[FEATURE] == f:
        best[SPOT], best[LOW] = spot, rank_at(ranked, places, spot, rows, best[LOW])
    return True


@inlined
def all_differ(records, first, rows, places, spot, ordered):
    """Put what rows weigh where they stand; whether no two stand at one place (the places then add up to 0 + 1 + 2 + …)."""
    together = _0
    for k in range(rows):
        place = u64(places[spot + k])
        together += place
        ordered[place] = records[first + k] >> ID_BITS
    return together + together == rows * (rows - _1)


@inlined
def choose_at_once(last, f, sums, terms, room):
    """The best boundary among a few rows that all differ, each at a place of its own: one loop costs less than several, each
    of which ends where no machine foresees it."""
    ordered, left, best = room.ordered, room.left, room.best
    w, a, b, top, at = np.int64(0), np.int64(0), room.node[1], room.figures[0], np.int64(-1)
    for g in range(last):
        w, a, b = move(ordered[g], sums, left, w, a, b, True, terms, None)
        v = room.node[0] - w
        if terms is None:
            score = np.float64(a) / np.float64(w) + np.float64(b) / np.float64(v)
        else:
            score = np.float64(a + b - term(w, terms, None) - term(v, terms, None))
        if score > top:
            top, at = score, np.int64(g)
    left[:] = 0
    if at >= 0:
        room.figures[0] = top
        best[FEATURE], best[LOW], best[HIGH], best[SIDE], best[MISSED] = f, at, at + 1, 0, 0


@inner
def choose_each(last, f, ordered, sums, left, rights, node, sides, total, limits, terms, best, figures):
    """The best boundary among more rows that all differ, each at a place of its own."""
    lw, lefts, ln, _, scores = sides
    w, a, b = np.int64(0), np.int64(0), node[1]
    for g in range(u64(last)):
        w, a, b = move(ordered[g], sums, left, w, a, b, True, terms, None)
        lw[g] = w
        if terms is None:
            lefts[g], rights[g] = a, b
        else:
            scores[g] = a + b - term(w, terms, None) - term(node[0] - w, terms, None)
    left[:] = 0
    if terms is None:
        for g in range(u64(last)):
            scores[g] = lefts[g] / lw[g] + rights[g] / (total[0] - lw[g])
    if limits[0] > 1:
        for g in range(u64(last)):
            ln[g] = g + _1
    keep_best(last, last, NOWHERE, np.int64(0), False, 0.0, 0.0, np.int64(0), f, sides, total, limits, best, figures)


@inlined
def move(value, sums, left, weight, on_left, on_right, exact, terms, scale):
    """A row from right to left, and what that does to the weight on the left and to the sums over classes on both sides."""
    c, w = value & _CLASS, np.int64(value >> _16)
    was = left[c]
    left[c] = was + w
    other = sums[c] - was
    if terms is not None:
        on_left += term(was + w, terms, scale) - term(was, terms, scale)
        on_right += term(other - w, terms, scale) - term(other, terms, scale)
    elif exact:
        on_left += w * (was + was + w)
        on_right += w * (w - other - other)
    return weight + w, on_left, on_right


@inlined
def order_places(records, first, rows, spot, room):
    """Bring what a small node's rows weigh into the order of their places, and say where those of each place end."""
    places, starts, ends = room.places, room.starts, room.ends
    for k in range(rows):
        starts[k] = 0
    for k in range(rows):
        starts[u64(places[spot + k])] += 1
    place = np.int32(0)
    for k in range(rows):
        count = starts[k]
        starts[k] = place
        place = np.int32(place + count)
        ends[k] = place
    for k in range(rows):
        place = u64(places[spot + k])
        room.ordered[u64(starts[place])] = records[first + k] >> ID_BITS
        starts[place] += 1


@inner
def classes_large(rows, values, begin, end, bins, f, sums, limits, exact, terms, scale, room):
    """Try every boundary between the bins of feature f that a large node occupies; whether there is any."""
    best, rank = room.best, room.sums[3]
    groups = order_bins(rows, values, begin, end, bins, room)
    if groups < 2:
        return False
    known = groups - 1 if rank[groups - 1] == MISSING_BIN else groups
    first_missing = known if known < groups else NOWHERE
    choose_grouped(known - 1, first_missing, f, sums, limits, exact, terms, scale, room)
    if best[FEATURE] == f:
        best[HIGH] = rank[best[LOW] + 1] if best[LOW] + 1 < known else -1
        best[LOW] = rank[best[LOW]]
    return True


@inlined
def order_bins(rows, values, begin, end, bins, room):
    """Bring what a large node's rows weigh into the order of their bins; returns how many bins are occupied."""
    starts, ends, rank = room.starts, room.ends, room.sums[3]
    starts[:256] = 0
    for k in range(u64(begin), u64(end)):
        starts[bins[rows[k]]] += 1
    groups, place = np.int64(0), np.int32(0)
    for b in range(256):
        if starts[b] > 0:
            count = starts[b]
            starts[b] = place
            place = np.int32(place + count)
            ends[groups], rank[groups] = place, b
            groups += 1
    for k in range(u64(begin), u64(end)):
        c = bins[rows[k]]
        room.ordered[u64(starts[c])] = values[k] >> ID_BITS
        starts[c] += 1
    return groups


@inner
def choose_grouped(last, known, f, sums, limits, exact, terms, scale, room):
    """The best boundary after one of the places up to `last`, as `pairs.choose` has it, among rows in their order; those of
    each place end at `room.ends`."""
    ordered, ends, left, missed = room.ordered, room.ends, room.left, known < NOWHERE
    lw, lefts, _, _, scores = room.sums
    rows = np.int64(room.total[2])
    for side in range(2 if missed else 1):
        boundaries = known if missed and side == 0 else last
        more_n = rows - np.int64(ends[last]) if side == 1 else np.int64(0)
        w, a, b, begin = np.int64(0), np.int64(0), room.node[1], np.int64(0)
        for g in range(boundaries):
            end = np.int64(ends[g])
            for k in range(begin if g > 0 else -more_n, end):  # below 0: the missing ones, which stand last
                value = ordered[k if k >= 0 else k + rows]
                w, a, b = move(value, sums, left, w, a, b, exact, terms, scale)
            begin = end
            lw[g], lefts[g], room.rights[g] = w, a, b
            if terms is not None:
                scores[g] = a + b - term(w, terms, scale) - term(room.node[0] - w, terms, scale)
            elif not exact:
                lefts[g], room.rights[g] = squares(sums, left)
        left[:] = 0
        if terms is None:
            for g in range(u64(boundaries)):
                scores[g] = lefts[g] / lw[g] + room.rights[g] / (room.total[0] - lw[g])
        keep_best(boundaries, last, known, np.int64(side), missed, 0.0, 0.0, more_n, f, (lw, lefts, ends, room.sums[3], scores),
                  room.total, limits, room.best, room.figures)  # fmt: skip


@inlined
def squares(sums, left):
    """Sums of the squared class weights on both sides, where whole numbers would not hold them."""
    a, b = 0.0, 0.0
    for c in range(len(sums)):
        x, y = np.float64(left[c]), np.float64(sums[c] - left[c])
        a += x * x
        b += y * y
    return a, b
