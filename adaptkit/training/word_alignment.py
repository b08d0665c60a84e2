"""Which tokens of a translation a token goes together with, counted in sentences (Brown et al. 1993, model 1)."""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Alignment: TypeAlias = Mapping[int, Mapping[int, float]]
"""Of each token, its few best partners in the other language, with their shares, which sum to 1."""

_ITERATIONS = 6
_PARTNERS = 5
_LEAST_SENTENCES = 2


def aligned(ours: Sequence[Collection[int]], theirs: Sequence[Collection[int]]) -> Alignment:
    """Partners of all tokens that stand in at least two sentences.

    Each of our tokens in a sentence is taken to come from one of theirs there, or from none; which one is found by
    expectation maximisation over all sentences. Tokens that stand everywhere explain little and so have little share.
    """
    own, other, cell = _together(ours, theirs)
    if not len(own):
        return {}
    # One number for both: rows of two are sorted many times slower.
    size = int(other.max()) + 1
    keys, pair = np.unique(own * size + other, return_inverse=True)
    of_own, of_other = np.divmod(keys, size)
    # How probable our token is, given theirs.
    chance = 1.0 / np.bincount(of_other)[of_other].astype(np.float64)
    counts: NDArray[np.float64] = np.zeros(len(keys))
    for _ in range(_ITERATIONS):
        by_pair = chance[pair]
        share = by_pair / np.bincount(cell, by_pair)[cell]
        counts = np.bincount(pair, share, minlength=len(keys)).astype(np.float64)
        chance = counts / np.bincount(of_other, counts)[of_other]
    return _best(of_own, of_other, counts)


def _together(
    ours: Sequence[Collection[int]], theirs: Sequence[Collection[int]]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Every token of ours with every one of theirs in its sentence; and the number of our token there.

    Theirs are numbered from 1, as 0 is none.
    """
    own: list[NDArray[np.int64]] = []
    other: list[NDArray[np.int64]] = []
    cell: list[NDArray[np.int64]] = []
    n_cells = 0
    for us, them in zip(ours, theirs, strict=True):
        rows = np.array(sorted(us), np.int64)
        columns = np.array([0, *sorted(token + 1 for token in them)], np.int64)
        own.append(np.repeat(rows, len(columns)))
        other.append(np.tile(columns, len(rows)))
        cell.append(np.repeat(np.arange(n_cells, n_cells + len(rows)), len(columns)))
        n_cells += len(rows)
    if not own:
        empty = np.zeros(0, np.int64)
        return empty, empty, empty
    return np.concatenate(own), np.concatenate(other), np.concatenate(cell)


def _best(of_own: NDArray[np.int64], of_other: NDArray[np.int64], counts: NDArray[np.float64]) -> Alignment:
    found: dict[int, dict[int, float]] = {}
    seen = np.bincount(of_own, counts)
    for row in np.lexsort((-counts, of_own)):
        own, other = int(of_own[row]), int(of_other[row]) - 1
        if other >= 0 and seen[own] > _LEAST_SENTENCES - 0.5:
            partners = found.setdefault(own, {})
            if len(partners) < _PARTNERS:
                partners[other] = float(counts[row])
    return {own: _of_one(partners) for own, partners in found.items()}


def _of_one(partners: Mapping[int, float]) -> Mapping[int, float]:
    total = sum(partners.values())
    return {token: share / total for token, share in partners.items()} if total > 0 else dict.fromkeys(partners, 1.0)
