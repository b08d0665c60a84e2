"""The nearest of many unit vectors by their cosine: exact, in bounded memory, with faiss where it is there and pays."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adaptkit.errors import ConfigError
from adaptkit.version import install_command

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
BLOCK_BYTES = 2**28
"""What similarities, and the order of each row of them, may take at once."""
FAISS_FROM = 5_000
"""From so many vectors on, faiss is asked for the candidates where it is installed."""
_SPARE = 16
_SAME = 2e-6
"""Cosines of single precision that are nearer than this to each other may stand in either order."""
_BYTES_EACH = 4 + 8
_LINKS = 32
_LOOKED_AT = 128


class Neighbours(NamedTuple):
    """For each row its nearest others, the nearest first, and their cosines, both of shape (n, k)."""

    rows: Rows
    cosines: Vectors


class Neighbourhood:
    """Unit vectors among which the nearest are looked for. Shape: (n, width).

    Exact answers are the same with and without faiss: candidates are found in single precision, compared again in
    double precision, and of equal ones the first in the text stands first. `approximate` finds the candidates by a
    graph (HNSW, Malkov and Yashunin 2020, arXiv:1603.09320), which takes time to make once and may miss some; where it
    finds fewer than were asked for, a row is -1.

    A vector of length 0 is as near to every other as one at a right angle: its cosines are 0.

    Raises:
        ConfigError: `approximate`, and faiss is not installed; or a vector that is not finite.
    """

    def __init__(self, vectors: Vectors, *, approximate: bool = False, block_bytes: int = BLOCK_BYTES) -> None:
        _require_finite(vectors, "among which the nearest are looked for")
        self._vectors = vectors
        self._block_bytes = block_bytes
        self._is_exact = not approximate
        self._candidates = _graph(vectors) if approximate else _flat(vectors)

    def nearest(self, queries: Vectors, k: int) -> Neighbours:
        """The k nearest of each query, or all where there are fewer. Shape: queries (m, width), result (m, k).

        Raises:
            ConfigError: A query that is not finite.
        """
        _require_finite(queries, "whose nearest are looked for")
        k = min(k, len(self._vectors))
        found = Neighbours(np.zeros((len(queries), k), np.int64), np.zeros((len(queries), k), np.float32))
        if not k:
            return found
        n_candidates = min(k + _SPARE, len(self._vectors))
        bytes_a_query = _BYTES_EACH * (len(self._vectors) + n_candidates * self._vectors.shape[1])
        at_once = max(1, self._block_bytes // bytes_a_query)
        for start in range(0, len(queries), at_once):
            block = queries[start : start + at_once]
            part = self._of_block(block, k, n_candidates)
            found.rows[start : start + at_once], found.cosines[start : start + at_once] = part
        return found

    def _of_block(self, queries: Vectors, k: int, n_candidates: int) -> Neighbours:
        candidates = self._candidates(queries, n_candidates)
        cosines = np.einsum("qd,qcd->qc", queries, self._vectors[candidates], dtype=np.float64)
        cosines = np.where(candidates < 0, -2.0, cosines)  # a graph may find fewer than were asked for
        order = np.lexsort((candidates, -cosines))
        rows, cosines = np.take_along_axis(candidates, order, 1), np.take_along_axis(cosines, order, 1)
        if self._is_exact and n_candidates < len(self._vectors):
            # Where what was left out may be as near, in a text of very like sentences, all are compared.
            for query in np.flatnonzero(cosines[:, k - 1] - cosines[:, -1] < _SAME):
                rows[query, :k], cosines[query, :k] = self._of_all(queries[query], k)
        return Neighbours(rows[:, :k], cosines[:, :k].astype(np.float32))

    def _of_all(self, query: Vectors, k: int) -> tuple[Rows, NDArray[np.float64]]:
        near = self._vectors @ query
        kth = np.partition(near, -k)[-k]
        rows = np.flatnonzero(near >= kth - _SAME)
        cosines = np.einsum("d,cd->c", query, self._vectors[rows], dtype=np.float64)
        first = np.lexsort((rows, -cosines))[:k]
        return rows[first], cosines[first]


def _require_finite(vectors: Vectors, what: str) -> None:
    # A sum for each row, so that nothing as large as the vectors is made.
    if len(wrong := np.flatnonzero(~np.isfinite(np.einsum("nd->n", vectors, dtype=np.float64)))):
        raise ConfigError(
            f"{len(wrong):,} of the {len(vectors):,} vectors {what} are not finite (NaN or infinite), the first in row "
            f"{wrong[0]}, so nothing is near to them. Look at what made them: weights or a precision that overflow."
        )


_Candidates = Callable[[Vectors, int], Rows]


def _flat(vectors: Vectors) -> _Candidates:
    faiss = _faiss() if len(vectors) >= FAISS_FROM else None
    if faiss is None:
        return lambda queries, k: np.argpartition(queries @ vectors.T, len(vectors) - k, axis=1)[:, len(vectors) - k :]
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return _searched(index)


def _graph(vectors: Vectors) -> _Candidates:
    faiss = _faiss()
    if faiss is None:
        raise ConfigError(
            f"an approximate search needs faiss, which is not installed. Run: {install_command('search')}. An exact "
            "search works without it."
        )
    index = faiss.IndexHNSWFlat(vectors.shape[1], _LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efSearch = _LOOKED_AT
    index.add(vectors)
    return _searched(index)


def _searched(index: Any) -> _Candidates:  # noqa: ANN401 - faiss has no types
    def candidates(queries: Vectors, k: int) -> Rows:
        found: Rows = index.search(np.ascontiguousarray(queries), k)[1]
        return found

    return candidates


def _faiss() -> Any:  # noqa: ANN401
    """None where it is not installed."""
    try:
        import faiss
    except ImportError:
        return None
    return faiss
