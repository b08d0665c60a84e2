"""Which sentences of two texts are translations, by the margin of their vectors over those of their neighbours."""

from typing import NamedTuple

import numpy as np

from adaptkit.data.neighbours import BLOCK_BYTES, Neighbourhood, Neighbours, Vectors

THRESHOLD = 1.02
"""Where a third of the sentences of news had their translation, 96 % and more of the pairs above it were right
(`python -m benchmarks.run mining`)."""
NEIGHBOURS = 4
LEAST_WORDS = 4


class Candidate(NamedTuple):
    """The rows of two texts that may be translations, and their margin."""

    text: int
    translation: int
    margin: float


def best_pairs(
    texts: Vectors, translations: Vectors, *, k: int = NEIGHBOURS, block_bytes: int = BLOCK_BYTES
) -> list[Candidate]:
    """Pairs of the largest margin first; each row is in one pair at most.

    The margin of two is their cosine over the mean cosine of both with their k nearest rows on the other side, each
    side counting half (ratio margin, Artetxe and Schwenk 2019, arXiv:1811.01136). Candidates are the best of each row,
    taken from either side; of those that share a row, the one with the largest margin stays.

    Shape: texts (n, width), translations (m, width), rows of length 1. Memory: `block_bytes` beside what is given.
    """
    k = min(k, len(texts), len(translations))
    there = Neighbourhood(translations, block_bytes=block_bytes).nearest(texts, k)
    here = Neighbourhood(texts, block_bytes=block_bytes).nearest(translations, k)
    own, others = there.cosines.mean(axis=1), here.cosines.mean(axis=1)
    found = _best(there, own, others) | {
        (text, translation): margin for (translation, text), margin in _best(here, others, own).items()
    }
    return _each_once(sorted((Candidate(*rows, margin) for rows, margin in found.items()), key=lambda one: -one.margin))


def _best(nearest: Neighbours, own: Vectors, others: Vectors) -> dict[tuple[int, int], float]:
    """The neighbour of largest margin of each row, with its margin."""
    beside = own[:, None] + others[nearest.rows]
    # Of vectors of length 0 both are 0, and nothing is paired.
    margins = np.divide(2 * nearest.cosines, beside, out=np.zeros_like(nearest.cosines), where=beside != 0)
    best = margins.argmax(axis=1)
    every = np.arange(len(best))
    pairs = zip(every.tolist(), nearest.rows[every, best].tolist(), strict=True)
    return dict(zip(pairs, margins[every, best].tolist(), strict=True))


def _each_once(candidates: list[Candidate]) -> list[Candidate]:
    taken: tuple[set[int], set[int]] = (set(), set())
    kept = []
    for one in candidates:
        if one.text not in taken[0] and one.translation not in taken[1]:
            kept.append(one)
            taken[0].add(one.text)
            taken[1].add(one.translation)
    return kept
