"""How often each language of a text is drawn, and in each each of its sources."""

from collections.abc import Sequence

from adaptkit.data.mixture import Mixture
from adaptkit.data.part import Part


def mixture_of(parts: Sequence[Part], counts: Sequence[int], alpha: float) -> Mixture | None:
    """The sources of a text, with so many rows each; None where there is one.

    Of one language, each source is drawn by `weight * size ** alpha`. Of several, each language is drawn by
    `size ** alpha`, and has its share among its sources by `weight * size`.
    """
    if len(parts) == 1:
        return None
    languages = [part.language for part in parts]
    groups = languages if len(set(languages)) > 1 else ()
    return Mixture.of_sizes(counts, [part.weight for part in parts], alpha, groups=groups)
