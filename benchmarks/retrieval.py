"""Finding the translation of a sentence: what can be measured in a language that has no labelled task."""

from collections.abc import Sequence

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.errors import ConfigError
from adaptkit.model import AdaptedModel, StackLike


def translations_found(
    model: AdaptedModel,
    texts: Sequence[str],
    translations: Sequence[str],
    *,
    stack: StackLike = None,
    translations_stack: StackLike = None,
) -> NDArray[np.float64]:
    """1.0 for each text whose own translation is the nearest one by cosine among all of them, 0.0 for the others.

    The texts are encoded under `stack`, the translations under `translations_stack`, mostly no adapter (the test of
    Artetxe and Schwenk 2019 for LASER, arXiv:1812.10464). Of equal translations any counts. Shape: (len(texts)).

    Raises:
        ConfigError: Not as many translations as texts, or none.
    """
    if len(texts) != len(translations) or not texts:
        raise ConfigError(
            f"retrieval needs as many translations as texts, and some: found {len(texts)} and {len(translations)}."
        )
    there = model.encode(translations, stack=translations_stack)
    return found_by_vectors(model.encode(texts, stack=stack), there, translations)


def found_by_vectors(vectors: Tensor, there: Tensor, translations: Sequence[str]) -> NDArray[np.float64]:
    """1.0 for each text whose own translation is the nearest by cosine; of equal translations any counts.

    Shapes: (n_texts, hidden_width) twice, to (n_texts).
    """
    similar = F.normalize(vectors, dim=-1) @ F.normalize(there, dim=-1).T
    nearest = similar.argmax(dim=-1).tolist()
    hits = [translations[found] == own for found, own in zip(nearest, translations, strict=True)]
    return np.asarray(hits, dtype=np.float64)
