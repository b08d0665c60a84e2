"""Which sentences find their translation: what can be measured in a language that has no labelled task."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.model import AdaptedModel, StackLike
from adaptkit.scores import translation_ranks


def translations_found(
    model: AdaptedModel,
    texts: Sequence[str],
    translations: Sequence[str],
    *,
    stack: StackLike = None,
    translations_stack: StackLike = None,
) -> NDArray[np.float64]:
    """1.0 for each text whose own translation is the nearest one by cosine among all of them, 0.0 for the others.

    The texts are encoded under `stack`, the translations under `translations_stack`, mostly no adapter.
    Shape: (len(texts)).

    Raises:
        ConfigError: Not as many translations as texts, or none.
    """
    there = model.encode(translations, stack=translations_stack)
    return found_by_vectors(model.encode(texts, stack=stack), there, translations)


def found_by_vectors(vectors: Tensor, there: Tensor, translations: Sequence[str]) -> NDArray[np.float64]:
    """1.0 for each text that finds its own translation first; of equal translations any counts.

    Shapes: (n_texts, hidden_width) twice, to (n_texts).
    """
    return np.asarray(translation_ranks(vectors.numpy(), there.numpy(), translations) == 1, dtype=np.float64)
