"""How often each language of a text is drawn, and in each each of its sources."""

from collections.abc import Sequence

import numpy as np

from adaptkit.data.mixture import Mixture, shares_of
from adaptkit.data.part import Part
from adaptkit.requests.request import SAMPLING_ALPHA


def mixture_of(parts: Sequence[Part], counts: Sequence[int], alpha: float | None) -> Mixture | None:
    """The sources of a text, with so many rows each; None where there is one.

    Of one language, each source is drawn by `weight * size ** alpha` (alpha is 1 where it is not said). Of several,
    each language is drawn by `size ** alpha` (0.3), and has its share among its sources by `weight * size`.
    """
    if len(parts) == 1:
        return None
    languages = list(dict.fromkeys(part.language for part in parts))
    weights = [part.weight for part in parts]
    if len(languages) == 1:
        return Mixture.of_sizes(counts, weights, 1.0 if alpha is None else alpha)
    alpha = SAMPLING_ALPHA if alpha is None else alpha
    of_part = [languages.index(part.language) for part in parts]
    sizes, inside = [0] * len(languages), [0.0] * len(languages)
    for language, count, weight in zip(of_part, counts, weights, strict=True):
        sizes[language] += count
        inside[language] += weight * count
    of_language = shares_of(sizes, [1.0] * len(sizes), alpha)
    shares = [
        of_language[language] * weight * count / inside[language] if count else 0.0
        for language, count, weight in zip(of_part, counts, weights, strict=True)
    ]
    numbered = np.repeat(np.arange(len(parts), dtype=np.int32), counts)
    return Mixture(numbered, tuple(shares), as_they_are=alpha == 1 and len(set(weights)) == 1)
