"""Some of many rows, spread over all of them."""

import numpy as np

_SEED = 0x5EED


def spread(n_rows: int, most: int) -> list[int]:
    """Numbers of at most so many rows, in order: of each of as many equal stretches one, drawn by a fixed seed.

    Rows may be sorted by label or language, or have labels in turn, as XNLI's have: neither the first of them nor every
    tenth are like the whole. Of test sets of one size, which may be translations of each other, it is the same rows.
    """
    if n_rows <= most:
        return list(range(n_rows))
    bounds = np.arange(most + 1) * n_rows // most
    drawn: list[int] = np.random.default_rng(_SEED).integers(bounds[:-1], bounds[1:]).tolist()
    return drawn
