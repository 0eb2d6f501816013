"""Random numbers from a node's own seed: splitmix64 (Steele et al. 2014), so that nodes may be grown in any order."""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import inlined

__all__ = ["LEFT_SEED", "RIGHT_SEED", "child_seed", "draw_feature", "next_random", "put_back"]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_27, _30, _31, _32 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)
LEFT_SEED, RIGHT_SEED = np.uint64(0xD1B54A32D192ED03), np.uint64(0xABC98388FB8FAC03)


@inlined
def mixed(z):
    """64 bits that no longer look like the ones they were."""
    z = (z ^ (z >> _30)) * _FIRST
    z = (z ^ (z >> _27)) * _SECOND
    return z ^ (z >> _31)


@inlined
def child_seed(seed, side):
    """The seed of a child, from its parent's and LEFT_SEED or RIGHT_SEED."""
    return mixed(seed + side)


@inlined
def next_random(state):
    """The next 64 random bits; `state` is moved on."""
    state[0] += _STEP
    return mixed(state[0])


@inlined
def draw_feature(state, features, drawn, swapped):
    """The next feature of a drawing without replacement; `put_back` undoes all draws."""
    left = np.uint64(len(features) - drawn)
    swap = drawn + np.int64(((next_random(state) >> _32) * left) >> _32)
    features[drawn], features[swap] = features[swap], features[drawn]
    swapped[drawn] = swap
    return features[drawn]


@inlined
def put_back(features, drawn, swapped):
    """The order of the features as it was before `drawn` of them were drawn."""
    for k in range(drawn - 1, -1, -1):
        swap = swapped[k]
        features[k], features[swap] = features[swap], features[k]
