"""Which sentences go into which batch: shuffled, of similar length, the same for the same seed and epoch."""

from collections import Counter
from collections.abc import Collection, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

_BATCHES_IN_WINDOW = 32
"""Sentences are sorted by length inside windows of this many batches: little padding, and still a random mixture."""
_HELDOUT_SHARE = 0.02
_LEAST_HELDOUT = 16
_MOST_HELDOUT = 512
_MOST_OF_TEN = 10
"""Of so many rows one is held out at most."""


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


def heldout_rows(n_rows: int, *, seed: int) -> list[int]:
    """Row numbers kept out of training, to measure on; never more than a tenth of the rows."""
    order, wanted = _heldout_order(n_rows, seed)
    return sorted(order[:wanted])


def heldout_of_kinds(kinds: Sequence[Collection[Hashable]], *, seed: int) -> list[int]:
    """As `heldout_rows`, but each kind that a row is of stays in training with one row at least.

    A row that is the last of a kind is passed over, and the next in the random order takes its place.
    """
    order, wanted = _heldout_order(len(kinds), seed)
    left = Counter(kind for row in kinds for kind in set(row))
    chosen: list[int] = []
    for row in order:
        own = set(kinds[row])
        if len(chosen) < wanted and all(left[kind] > 1 for kind in own):
            chosen.append(row)
            left.subtract(own)
    return sorted(chosen)


def heldout_of_parts(parts: NDArray[np.int32], *, seed: int) -> list[int]:
    """As `heldout_rows`, of each part in proportion to its size, and one row at least of a part that has ten.

    Shape: parts (n_rows), the number of the part that each row is of.
    """
    order, wanted = _heldout_order(len(parts), seed)
    numbers, sizes = (found.tolist() for found in np.unique(parts, return_counts=True))
    quotas = [min(max(round(wanted * size / len(parts)), 1), size // _MOST_OF_TEN) for size in sizes]
    left = dict(zip(numbers, quotas, strict=True))
    chosen: list[int] = []
    rest: list[int] = []
    for row, part in zip(order, parts[order].tolist(), strict=True):
        (chosen if left[part] > 0 else rest).append(row)
        left[part] -= 1
    # Parts too small to have one held out each are enough together.
    return sorted([*chosen, *rest[: max(0, wanted - len(chosen))]])


def _heldout_order(n_rows: int, seed: int) -> tuple[list[int], int]:
    """All rows in random order, and how many are wanted."""
    return np.random.default_rng((seed, 0x5EED)).permutation(n_rows).tolist(), _n_heldout(n_rows)


def _n_heldout(n_rows: int) -> int:
    return min(max(round(n_rows * _HELDOUT_SHARE), _LEAST_HELDOUT), _MOST_HELDOUT, n_rows // _MOST_OF_TEN)


def rows_to_train_on(n_trained: int) -> int:
    """Of how many rows so many are left to train on; enough, of few as well, that as many are held out as of more."""
    n_rows = max(n_trained, _MOST_OF_TEN * _LEAST_HELDOUT)
    while n_rows - _n_heldout(n_rows) < n_trained:
        n_rows += 1
    return n_rows


def chunks(rows: Sequence[int], size: int) -> list[Sequence[int]]:
    """Consecutive pieces of at most `size` rows."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
