"""Which sentences go into which batch: shuffled, of similar length, the same for the same seed and epoch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BATCHES_IN_WINDOW = 32
"""Sentences are sorted by length inside windows of this many batches: little padding, and still a random mixture."""


def length_bucketed(lengths: NDArray[np.int64], *, batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Row numbers of each batch of one epoch, in training order. Every row is used once.

    The batch that takes the most memory comes first: too little of it shows at once, and what the allocator takes for
    that batch serves all others, where batches that grow leave holes between them.
    """
    random = np.random.default_rng((seed, epoch))
    order = random.permutation(len(lengths))
    window = batch_size * _BATCHES_IN_WINDOW
    batches = []
    for start in range(0, len(order), window):
        rows = order[start : start + window]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        batches += [rows[i : i + batch_size].tolist() for i in range(0, len(rows), batch_size)]
    random.shuffle(batches)
    largest = max(range(len(batches)), key=lambda i: len(batches[i]) * int(lengths[batches[i]].max()))
    return [batches[largest], *batches[:largest], *batches[largest + 1 :]]


def heldout_rows(n_rows: int, *, seed: int, share: float = 0.02, at_least: int = 16, at_most: int = 512) -> list[int]:
    """Row numbers kept out of training, to measure on; never more than a tenth of the rows."""
    wanted = min(max(round(n_rows * share), at_least), at_most, n_rows // 10)
    chosen = np.random.default_rng((seed, 0x5EED)).permutation(n_rows)[:wanted]
    return sorted(chosen.tolist())


def chunks(rows: Sequence[int], size: int) -> list[Sequence[int]]:
    """Consecutive pieces of at most `size` rows."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
