"""Which sentences go into which batch: shuffled, of similar length, the same for the same seed and epoch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BATCHES_IN_WINDOW = 32
"""Sentences are sorted by length inside windows of this many batches: little padding, and still a random mixture."""


def length_bucketed(lengths: NDArray[np.int64], *, batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Row numbers of each batch of one epoch, in training order. Every row is used once."""
    random = np.random.default_rng((seed, epoch))
    order = random.permutation(len(lengths))
    window = batch_size * _BATCHES_IN_WINDOW
    batches = []
    for start in range(0, len(order), window):
        rows = order[start : start + window]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        batches += [rows[i : i + batch_size].tolist() for i in range(0, len(rows), batch_size)]
    random.shuffle(batches)
    return batches


def heldout_rows(n_rows: int, *, seed: int, share: float = 0.02, at_least: int = 16, at_most: int = 512) -> list[int]:
    """Row numbers kept out of training, to measure on; never more than a tenth of the rows."""
    wanted = min(max(round(n_rows * share), at_least), at_most, n_rows // 10)
    chosen = np.random.default_rng((seed, 0x5EED)).permutation(n_rows)[:wanted]
    return sorted(chosen.tolist())


def chunks(rows: Sequence[int], size: int) -> list[Sequence[int]]:
    """Consecutive pieces of at most `size` rows."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
