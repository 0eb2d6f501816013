"""The best split of three classes and more: rows in the order of their values, moved from right to left one by one.

Nothing here has a line for each class and value, so that a thousand classes cost what ten do. A row's record holds its class
in 16 bits above the place, and its weight above that.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import inlined, u64
from openbook.forest.kernels.ordered import groups_of
from openbook.forest.kernels.pairs import FEATURE, HIGH, LOW, MISSED, SIDE
from openbook.forest.kernels.rows import ID, ID_BITS, MISSING_BIN, MISSING_RANK
from openbook.forest.kernels.scores import GINI, term

__all__ = ["class_sums", "classes_large", "classes_small", "describe"]

_0, _1, _6, _16, _28, _63 = u64(0), u64(1), u64(6), u64(16), u64(28), u64(63)
_CLASS = u64(0xFFFF)


@inlined
def class_sums(values, begin, end, sums):
    """The weight of each class among these records; `sums` is cleared first."""
    sums[:] = 0
    for k in range(u64(begin), u64(end)):
        sums[(values[k] >> ID_BITS) & _CLASS] += np.int64(values[k] >> _28)


@inlined
def describe(sums, node, exact, criterion, terms, scale):
    """Fill `node` with a node's weight and its sum over classes; return its score, and how many classes it has."""
    total, found, whole, present = np.int64(0), 0.0, np.int64(0), 0
    for c in range(len(sums)):
        w = sums[c]
        total += w
        present += w > 0
        if criterion != GINI:
            whole += term(w, terms, scale)
        elif exact:
            whole += w * w
        else:
            found += np.float64(w) * np.float64(w)
    node[0], node[1] = total, whole
    if criterion != GINI:
        return np.float64(whole - term(total, terms, scale)), present
    return (np.float64(whole) if exact else found) / np.float64(total), present


@inlined
def classes_small(records, begin, end, local, f, starts, occupied, ordered, ends, rank, sums, left, node, limits, exact,
                  criterion, terms, scale, best, figures):  # fmt: skip
    """Try every boundary between the values a small node has of feature f; whether there is any."""
    at, words = u64(f) << ID_BITS, _0
    for k in range(u64(begin), u64(end)):
        c = u64(local[at | (records[k] & ID)])
        starts[c] += 1
        occupied[c >> _6] |= _1 << (c & _63)
        words |= _1 << (c >> _6)
    groups = groups_of(words, occupied, starts, ends, rank)
    for k in range(u64(begin), u64(end)):
        c = u64(local[at | (records[k] & ID)])
        ordered[u64(starts[c])] = records[k] >> ID_BITS
        starts[c] += 1
    for g in range(groups):
        starts[rank[g]] = 0
    return scan(np.int64(groups), MISSING_RANK, f, ordered, ends, rank, sums, left, node, limits, exact, criterion, terms,
                scale, best, figures)  # fmt: skip


@inlined
def classes_large(rows, values, begin, end, bins, f, starts, ordered, ends, rank, sums, left, node, limits, exact, criterion,
                  terms, scale, best, figures):  # fmt: skip
    """Try every boundary between the bins of feature f that a large node occupies; whether there is any."""
    for k in range(u64(begin), u64(end)):
        starts[bins[rows[k]]] += 1
    groups, place = 0, np.int32(0)
    for b in range(256):
        if starts[b] > 0:
            count = starts[b]
            starts[b] = place
            place = np.int32(place + count)
            ends[groups], rank[groups] = place, b
            groups += 1
    for k in range(u64(begin), u64(end)):
        c = bins[rows[k]]
        ordered[u64(starts[c])] = values[k] >> ID_BITS
        starts[c] += 1
    starts[:256] = 0
    return scan(groups, MISSING_BIN, f, ordered, ends, rank, sums, left, node, limits, exact, criterion, terms, scale, best,
                figures)  # fmt: skip


@inlined
def scan(
    groups, missing, f, ordered, ends, rank, sums, left, node, limits, exact, criterion, terms, scale, best, figures
):
    """The best boundary between neighbouring groups, with the missing rows on the right (the last boundary is then the one
    between everything known and everything missing), then with them on the left. Of equal ones the first."""
    if groups < 2:
        return False
    known = groups - 1 if rank[groups - 1] == missing else groups
    for side in range(2 if known < groups else 1):
        scan_side(known, groups, side == 1, f, ordered, ends, rank, sums, left, node, limits, exact, criterion, terms,
                  scale, best, figures)  # fmt: skip
        for k in range(ends[groups - 1]):
            left[ordered[k] & _CLASS] = 0
    return True


@inlined
def scan_side(known, groups, side, f, ordered, ends, rank, sums, left, node, limits, exact, criterion, terms, scale, best,
              figures):  # fmt: skip
    """One way through the groups, with the missing rows on the left if `side`. `node` holds the node's weight, its sum over
    classes as the criterion has it, and the same for both sides as they change."""
    total, rows = node[0], np.int64(ends[groups - 1])
    node[2], node[3], node[4] = 0, 0, node[1]
    count, begin = np.int64(0), np.int64(0)
    if side:
        count = rows - ends[known - 1]
        move(ordered, ends[known - 1], rows, sums, left, node, exact, criterion, terms, scale)
    for g in range(known - 1 if side or known == groups else known):
        end = np.int64(ends[g])
        move(ordered, begin, end, sums, left, node, exact, criterion, terms, scale)
        count += end - begin
        begin = end
        if min(count, rows - count) < limits[0] or min(node[2], total - node[2]) < limits[1]:
            continue
        found = split_score(sums, left, node, exact, criterion, terms, scale)
        if found > figures[0]:
            figures[0] = found
            best[FEATURE], best[LOW], best[SIDE], best[MISSED] = f, rank[g], side, groups - known
            best[HIGH] = rank[g + 1] if g + 1 < known else -1


@inlined
def move(ordered, begin, end, sums, left, node, exact, criterion, terms, scale):
    """Rows from right to left, and what that does to the criterion's sums."""
    weight, on_left, on_right = node[2], node[3], node[4]
    for k in range(u64(begin), u64(end)):
        c, w = ordered[k] & _CLASS, np.int64(ordered[k] >> _16)
        was = left[c]
        left[c] = was + w
        weight += w
        other = sums[c] - was
        if criterion != GINI:
            on_left += term(was + w, terms, scale) - term(was, terms, scale)
            on_right += term(other - w, terms, scale) - term(other, terms, scale)
        elif exact:
            on_left += w * (was + was + w)
            on_right += w * (w - other - other)
    node[2], node[3], node[4] = weight, on_left, on_right


@inlined
def split_score(sums, left, node, exact, criterion, terms, scale):
    """The score of both sides. Where squares of weights do not fit whole numbers, class by class."""
    w, v = node[2], node[0] - node[2]
    if criterion != GINI:
        return np.float64(node[3] - term(w, terms, scale) + node[4] - term(v, terms, scale))
    if exact:
        return np.float64(node[3]) / np.float64(w) + np.float64(node[4]) / np.float64(v)
    a, b = 0.0, 0.0
    for c in range(len(sums)):
        x, y = np.float64(left[c]), np.float64(sums[c] - left[c])
        a += x * x
        b += y * y
    return a / np.float64(w) + b / np.float64(v)
