"""Token ids to train on: of one length, or of lengths as lines of news have them."""

import numpy as np

from benchmarks.gpu_speed.place import lowest_id
from benchmarks.gpu_speed.rows import FULL

_WORDS = 20_000
_NEWS_MEAN, _NEWS_SPREAD = 39.0, 0.55


def drawn_ids(lengths: str, count: int, longest: int, vocabulary_size: int) -> list[list[int]]:
    """Rows of ids, those of rare tokens rarely, between the opening and the closing token.

    Lines of news have 39 tokens on average (lognormal, some are cut at the longest). Shape: count rows.
    """
    generator = np.random.default_rng(0)
    sizes = np.full(count, longest) if lengths == FULL else _news(generator, count, longest)
    low = lowest_id(vocabulary_size)
    n_words = min(_WORDS, vocabulary_size - low - 1)
    shares = 1 / np.arange(1, n_words + 1)
    words = low + generator.choice(n_words, size=int(sizes.sum()), p=shares / shares.sum())
    rows = np.split(words, np.cumsum(sizes)[:-1])
    return [[0, *map(int, row[1:-1]), 2] for row in rows]


def _news(generator: np.random.Generator, count: int, longest: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    drawn = generator.lognormal(np.log(_NEWS_MEAN) - _NEWS_SPREAD**2 / 2, _NEWS_SPREAD, count)
    return np.clip(drawn, 4, longest).astype(np.int64)
