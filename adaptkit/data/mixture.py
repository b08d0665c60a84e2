"""Which source of a mix each row is of, and how often each source is drawn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from adaptkit.data.batching import heldout_of_parts


@dataclass(frozen=True)
class Mixture:
    """The source of each row, counted from 0 (-1: of none), and the share of the rows drawn that is each source's.

    `as_they_are` where that follows from sizes alone: then each row comes once an epoch.

    Shape: parts (n_rows).
    """

    parts: NDArray[np.int32]
    shares: tuple[float, ...]
    as_they_are: bool = False

    @classmethod
    def of_sizes(
        cls, sizes: Sequence[int], weights: Sequence[float], alpha: float, *, groups: Sequence[str] = ()
    ) -> "Mixture":
        """Rows of one source after the other. Each is drawn by `weight * size ** alpha`, 1 and 1 being as they are.

        Where `groups` names the group of each source, it is a group that is drawn by `size ** alpha`, and its share is
        its sources' by `weight * size`.
        """
        parts = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        shares = _shares_in(groups, sizes, weights, alpha) if groups else shares_of(sizes, weights, alpha)
        return cls(parts, shares, as_they_are=alpha == 1 and len(set(weights)) == 1)

    def of(self, rows: Sequence[int]) -> "Mixture":
        """The same for rows that are made of these."""
        return replace(self, parts=self.parts[np.asarray(rows, dtype=np.int64)])

    def with_parts(self, parts: Sequence[int]) -> "Mixture":
        """The same for other rows, of these sources."""
        return replace(self, parts=np.asarray(parts, dtype=np.int32))

    def heldout(self, n_measured: int, *, seed: int) -> list[int]:
        """As `heldout_rows`, of each source in proportion to its size."""
        return heldout_of_parts(self.parts[:n_measured], seed=seed)

    def drawn(self, rows: NDArray[np.int64], *, seed: int, epoch: int) -> NDArray[np.int64]:
        """As many of these rows, drawn for one epoch: of each source its share, all its rows before one comes again.

        Rows that are of no source come once. Shape: rows and result (n).
        """
        if self.as_they_are:
            return rows
        parts = self.parts[rows]
        pools = {part: rows[parts == part] for part in range(len(self.shares))}
        pools = {part: pool for part, pool in pools.items() if len(pool)}
        shares = [self.shares[part] for part in pools]
        quotas = _divided(int((parts >= 0).sum()), shares)
        drawn = [
            _stretch(pool, quota, seed=(seed, part), epoch=epoch)
            for (part, pool), quota in zip(pools.items(), quotas, strict=True)
        ]
        return np.concatenate([*drawn, rows[parts < 0]])

    def identity(self) -> bytes:
        """What makes it another one than another."""
        shares = np.asarray([self.as_they_are, *self.shares], dtype=np.float64)
        return self.parts.tobytes() + shares.tobytes()


def shares_of(sizes: Sequence[int], weights: Sequence[float], alpha: float) -> tuple[float, ...]:
    """What part of the rows drawn is each source's. They sum to 1; an empty source has none."""
    raw = [weight * size**alpha if size else 0.0 for size, weight in zip(sizes, weights, strict=True)]
    return tuple(share / math.fsum(raw) for share in raw) if any(raw) else tuple(raw)


def _shares_in(
    groups: Sequence[str], sizes: Sequence[int], weights: Sequence[float], alpha: float
) -> tuple[float, ...]:
    """As `shares_of`, where groups are drawn by their size, and in each its sources."""
    size_of, inside = dict.fromkeys(groups, 0), dict.fromkeys(groups, 0.0)
    for group, size, weight in zip(groups, sizes, weights, strict=True):
        size_of[group] += size
        inside[group] += weight * size
    of_group = dict(zip(size_of, shares_of([*size_of.values()], [1.0] * len(size_of), alpha), strict=True))
    return tuple(
        of_group[group] * weight * size / inside[group] if size else 0.0
        for group, size, weight in zip(groups, sizes, weights, strict=True)
    )


def _divided(total: int, shares: Sequence[float]) -> list[int]:
    """A total in whole numbers, as near to the shares as may be."""
    exact = np.asarray(shares) / max(math.fsum(shares), 1e-300) * total
    whole = np.floor(exact).astype(int)
    order = np.argsort(whole - exact, kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return [int(number) for number in whole]


def _stretch(pool: NDArray[np.int64], n: int, *, seed: tuple[int, int], epoch: int) -> NDArray[np.int64]:
    """The `n` rows of an epoch out of an endless row of shuffled passes through the pool."""
    start, stop = epoch * n, (epoch + 1) * n
    passes = range(start // len(pool), -(-stop // len(pool)))
    shuffled = [pool[np.random.default_rng((*seed, number)).permutation(len(pool))] for number in passes]
    begin = start - passes.start * len(pool)
    return np.concatenate([*shuffled, pool[:0]])[begin : begin + n]
