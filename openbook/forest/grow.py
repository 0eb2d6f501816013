"""Growing one tree: the numba kernels. `textbook.py` says the same slowly.

All sums of weights are whole numbers (fixed point), so they do not depend on the order of adding: the same rows give the
same gains, the same ties and the same tree on any number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from openbook.forest.columns import MISSING

GINI, ENTROPY, SQUARED_ERROR = 0, 1, 2
BINS = 256
SORT_BELOW = 0.2  # rows for each bin: fewer are sorted sooner than the bins are walked
RADIX_FROM = 200  # keys: more are sorted sooner byte by byte than by comparing
EXACT_BELOW = 4096  # rows: fewer are split between their very values, also where bins hold several values

_jit = njit(cache=True, nogil=True)
_inlined = njit(inline="always")  # a call costs more than these do


@_jit
def next_random(state):
    """The next 64 random bits (splitmix64, Steele et al. 2014); `state` is moved on."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@_jit
def below(state, n):
    """A random whole number below n."""
    return np.int64((next_random(state) >> np.uint64(11)) % np.uint64(n))


@_inlined
def score(table, line, criterion):
    """How pure a set of rows is, times its weight: the larger, the better. `table[line]` holds its sums.

    Gini: Σ w_c² / W. Entropy: Σ w_c ln w_c − W ln W. Squared error: (Σ w·y)² / W, with sums (W, Σ w·y, rows).
    """
    if criterion == SQUARED_ERROR:
        w = np.float64(table[line, 0])
        return np.float64(table[line, 1]) * np.float64(table[line, 1]) / w if w > 0 else 0.0
    total, found = 0.0, 0.0
    for c in range(table.shape[1] - 1):
        w = np.float64(table[line, c])
        total += w
        if criterion == GINI:
            found += w * w
        elif w > 0:
            found += w * np.log(w)
    if total <= 0:
        return 0.0
    return found / total if criterion == GINI else found - total * np.log(total)


@_inlined
def weight_of(table, line, criterion):
    """The total weight in a line of sums."""
    if criterion == SQUARED_ERROR:
        return table[line, 0]
    total = np.int64(0)
    for c in range(table.shape[1] - 1):
        total += table[line, c]
    return total


@_inlined
def add_row(table, line, i, y, w, wy, criterion):
    """Add row i: to its class, or to weight and weighted target; and count it."""
    if criterion == SQUARED_ERROR:
        table[line, 0] += w[i]
        table[line, 1] += wy[i]
    else:
        table[line, y[i]] += w[i]
    table[line, table.shape[1] - 1] += 1


# Lines of the working table: sums of the left rows without and with the missing ones, of the right rows, of the whole
# node, of its missing rows, and of no rows at all.
LEFT, BOTH, RIGHT, NODE, MISSED, NONE = range(6)
LINES = 6


@_inlined
def consider(work, missing, criterion, min_leaf, min_weight):
    """The best score of splitting NODE into LEFT and the rest, missing rows on either side; −inf if none is allowed.

    `missing` is the line with the sums of the missing rows. Returns the score and whether they go left.
    """
    width = work.shape[1]
    rows = width - 1
    best, to_left = -np.inf, False
    for side in range(2 if work[missing, rows] > 0 else 1):
        left = work[LEFT, rows] + (work[missing, rows] if side == 1 else 0)
        if min(left, work[NODE, rows] - left) < max(min_leaf, 1):
            continue
        for k in range(width):
            work[BOTH, k] = work[LEFT, k] + (work[missing, k] if side == 1 else 0)
            work[RIGHT, k] = work[NODE, k] - work[BOTH, k]
        if min_weight > 0 and min(weight_of(work, BOTH, criterion), weight_of(work, RIGHT, criterion)) < min_weight:
            continue
        found = score(work, BOTH, criterion) + score(work, RIGHT, criterion)
        if found > best:
            best, to_left = found, side == 1
    return best, to_left


@_jit
def split_by_bins(rows, codes, used, y, w, wy, criterion, min_leaf, min_weight, hist, work):
    """The best boundary between occupied bins: its score, the bins beside it, the side of missing rows; and whether there
    is any boundary at all, allowed or not."""
    width = work.shape[1]
    hist[:used], hist[MISSING] = 0, 0
    for i in rows:
        add_row(hist, codes[i], i, y, w, wy, criterion)
    for k in range(width):
        work[LEFT, k], work[MISSED, k] = 0, hist[MISSING, k]
    best, best_low, best_high, best_side = -np.inf, -1, -1, False
    low, occupied = -1, 0
    for b in range(used):
        if hist[b, width - 1] == 0:
            continue
        if low >= 0:
            found, side = consider(work, MISSED, criterion, min_leaf, min_weight)
            if found > best:
                best, best_low, best_high, best_side = found, low, b, side
        for k in range(width):
            work[LEFT, k] += hist[b, k]
        occupied += 1
        low = b
    if low >= 0 and work[MISSED, width - 1] > 0:  # everything known against everything missing
        occupied += 1
        found, _ = consider(work, NONE, criterion, min_leaf, min_weight)
        if found > best:
            best, best_low, best_high, best_side = found, low, -1, False
    return best, best_low, best_high, best_side, occupied > 1


@_jit
def sort_keys(keys, spare, m):
    """The first m keys by their rank (the upper 32 bits), in `keys` or in `spare`: byte by byte where they are many."""
    if m < RADIX_FROM:
        keys[:m].sort()
        return keys
    top = np.int64(0)
    for k in range(m):
        top = max(top, keys[k] >> 32)
    place = np.empty(256, np.int64)
    shift = 32
    while top > 0:
        place[:] = 0
        for k in range(m):
            place[(keys[k] >> shift) & 255] += 1
        before = np.int64(0)
        for b in range(256):
            before, place[b] = before + place[b], before
        for k in range(m):
            b = (keys[k] >> shift) & 255
            spare[place[b]] = keys[k]
            place[b] += 1
        keys, spare = spare, keys
        shift, top = shift + 8, top >> 8
    return keys


@_jit
def split_by_sorting(rows, ranks, y, w, wy, criterion, min_leaf, min_weight, keys, spare, work):
    """The best boundary between different values: its score, the ranks beside it, the side of missing rows; and whether
    there is any boundary at all, allowed or not."""
    width = work.shape[1]
    for k in range(width):
        work[LEFT, k], work[MISSED, k] = 0, 0
    m = 0
    for i in rows:
        if ranks[i] < 0:
            add_row(work, MISSED, i, y, w, wy, criterion)
        else:
            keys[m] = (np.int64(ranks[i]) << 32) | np.int64(i)
            m += 1
    ordered = sort_keys(keys, spare, m)
    best, best_low, best_high, best_side = -np.inf, -1, -1, False
    before = np.int64(-1)
    for k in range(m):
        rank = ordered[k] >> 32
        if rank != before and before >= 0:
            found, side = consider(work, MISSED, criterion, min_leaf, min_weight)
            if found > best:
                best, best_low, best_high, best_side = found, before, rank, side
        before = rank
        add_row(work, LEFT, ordered[k] & 0xFFFFFFFF, y, w, wy, criterion)
    if m > 0 and work[MISSED, width - 1] > 0:
        found, _ = consider(work, NONE, criterion, min_leaf, min_weight)
        if found > best:
            best, best_low, best_high, best_side = found, before, -1, False
    varies = m > 0 and (work[MISSED, width - 1] > 0 or before != ordered[0] >> 32)
    return best, best_low, best_high, best_side, varies


@_jit
def between(low, high):
    """A threshold that sends `low` left and `high` right: the middle, unless rounding takes it up to `high`."""
    middle = low + (high - low) / 2
    return middle if low <= middle < high else low


@_jit
def partition(order, start, end, ranks, boundary, missing_left, spare):
    """Put the rows that go left first, each side in its old order; return where the right side starts, and how many
    rows were missing."""
    put, held, missing = start, 0, 0
    for k in range(start, end):
        i = order[k]
        missing += ranks[i] < 0
        left = missing_left if ranks[i] < 0 else ranks[i] <= boundary
        if left:
            order[put] = i
            put += 1
        else:
            spare[held] = i
            held += 1
    order[put:end] = spare[:held]
    return put, missing


@_jit
def best_split(rows, columns, y, w, wy, state, features, max_features, criterion, min_leaf, min_weight, room):
    """The best split over randomly drawn features: (score, feature, threshold, last rank on the left, missing left).

    Draws `max_features` of them, and further ones as long as all are constant in this node: a feature that varies but has
    no allowed split counts as tried, which ends the tree there (as scikit-learn's do, and probabilities gain by it).
    """
    rank, bins, values, start, last_rank, used = columns
    hist, keys, spare, work = room
    d = len(features)
    best, feature, threshold, boundary, missing_left = -np.inf, -1, 0.0, np.int64(-1), False
    varied = False
    for drawn in range(d):
        if drawn >= max_features and varied:
            break
        swap = drawn + below(state, d - drawn)
        features[drawn], features[swap] = features[swap], features[drawn]
        f = features[drawn]
        exact = used[f] == start[f + 1] - start[f]
        if len(rows) < SORT_BELOW * used[f] or (len(rows) < EXACT_BELOW and not exact):
            found, low, high, side, varies = split_by_sorting(
                rows, rank[f], y, w, wy, criterion, min_leaf, min_weight, keys, spare, work
            )
        else:
            found, low, high, side, varies = split_by_bins(
                rows, bins[f], used[f], y, w, wy, criterion, min_leaf, min_weight, hist, work
            )
            high = np.int64(last_rank[f, high - 1] + 1) if high >= 0 else np.int64(-1)
            low = np.int64(last_rank[f, low]) if low >= 0 else np.int64(-1)
        varied |= varies
        if found > best:
            best, feature, boundary, missing_left = found, f, low, side
            threshold = between(values[start[f] + low], values[start[f] + high]) if high >= 0 else np.inf
    return best, feature, threshold, boundary, missing_left


@_jit
def is_pure(rows, table, line, y, criterion):
    """Whether all rows have one class, or one target: nothing is left to separate."""
    if criterion != SQUARED_ERROR:
        occupied = 0
        for c in range(table.shape[1] - 1):
            occupied += table[line, c] > 0
        return occupied <= 1
    for i in rows:  # noqa: SIM110  (numba compiles no generator expressions)
        if y[i] != y[rows[0]]:
            return False
    return True


@_jit
def grow_tree(columns, order, y, w, wy, width, seed, criterion, max_depth, min_split, min_leaf, min_weight, max_features,
              min_decrease):  # fmt: skip
    """Grow one tree, depth first, from the rows in `order` (changed on the way).

    `y` is the class of each row, or the rank of its target; `w` and `wy` are fixed-point weights and weighted targets;
    `width` is the number of sums: classes + 1, or 3 for a regression. Returns the arrays of the tree and the sums of its
    nodes.
    """
    d, n = columns[0].shape[0], len(order)
    room = 2 * n
    feature, threshold = np.full(room, -1, np.int32), np.zeros(room)
    left, right = np.full(room, -1, np.int32), np.full(room, -1, np.int32)
    missing_left, gain = np.zeros(room, np.bool_), np.zeros(room)
    sums = np.zeros((room, width), np.int64)
    for i in order:
        add_row(sums, 0, i, y, w, wy, criterion)
    whole = np.float64(weight_of(sums, 0, criterion))

    state = np.array([seed], np.uint64)
    features = np.arange(d)
    work = np.zeros((LINES, width), np.int64)
    scratch = (np.zeros((BINS, width), np.int64), np.empty(n, np.int64), np.empty(n, np.int64), work)
    spare = np.empty(n, order.dtype)
    stack = np.empty((n + 1, 4), np.int64)
    stack[0, 0], stack[0, 1], stack[0, 2], stack[0, 3] = 0, 0, n, 0
    waiting, nodes = 1, 1
    while waiting > 0:
        waiting -= 1
        node, begin, end, depth = stack[waiting, 0], stack[waiting, 1], stack[waiting, 2], stack[waiting, 3]
        rows = order[begin:end]
        small = len(rows) < min_split or len(rows) < 2 * min_leaf or depth >= max_depth
        if small or is_pure(rows, sums, node, y, criterion):
            continue
        work[NODE] = sums[node]
        found, f, t, boundary, side = best_split(
            rows, columns, y, w, wy, state, features, max_features, criterion, min_leaf, min_weight, scratch
        )
        decrease = found - score(sums, node, criterion)
        if f < 0 or decrease / whole < min_decrease:
            continue
        middle, missing = partition(order, begin, end, columns[0][f], boundary, side, spare)
        # Where training saw nothing missing, a missing value later takes the side most rows took.
        missing_left[node] = side if missing > 0 else middle - begin > end - middle
        feature[node], threshold[node], gain[node] = f, t, max(decrease, 0.0)
        left[node], right[node] = nodes, nodes + 1
        for k in range(begin, middle):
            add_row(sums, nodes, order[k], y, w, wy, criterion)
        sums[nodes + 1] = sums[node] - sums[nodes]
        stack[waiting, 0], stack[waiting, 1], stack[waiting, 2], stack[waiting, 3] = nodes + 1, middle, end, depth + 1
        waiting += 1
        stack[waiting, 0], stack[waiting, 1], stack[waiting, 2], stack[waiting, 3] = nodes, begin, middle, depth + 1
        waiting += 1
        nodes += 2
    return (feature[:nodes], threshold[:nodes], left[:nodes], right[:nodes], missing_left[:nodes], gain[:nodes],
            sums[:nodes])  # fmt: skip
