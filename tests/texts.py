"""Texts as objectives read them, of a tiny backbone."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.data.sentence import Sentence
from adaptkit.data.tokens import TokenStore
from adaptkit.layers.pooling import pool_texts
from adaptkit.model import AdaptedModel
from adaptkit.training.tokenized_text import TokenizedText


def tokenized(
    sentences: Sequence[Sentence], model: AdaptedModel, note: Callable[[str], None] = lambda _: None
) -> TokenizedText:
    """The sentences, whose vectors the model makes one batch for all."""

    def encode(
        texts: TokenStore,
        what: str,
        *,
        blocks: tuple[int, ...] = (),
        first_lengths: NDArray[np.int32] | None = None,
    ) -> Tensor:
        assert what
        ids, mask = model.backbone.pad([texts[row] for row in range(len(texts))])
        lengths = None if first_lengths is None else torch.from_numpy(first_lengths)
        with torch.no_grad():
            return pool_texts(model(ids, mask, blocks=blocks), mask, lengths)

    return TokenizedText(
        tokens=TokenStore(model.backbone.tokenize([sentence.text for sentence in sentences])),
        rows=lambda: iter(sentences),
        max_length=128,
        seed=0,
        encode=encode,
        note=note,
    )
