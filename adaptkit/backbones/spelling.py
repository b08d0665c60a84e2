"""The letters of a tokenizer's tokens, as a table that a device can look them up in."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from adaptkit.backbones.word_starts import BEGINNINGS, continuation_mark

LONGEST_SPELLING = 16
"""Letters of a token that are looked at; few have more."""


class Spelling:
    """What tokens are written with, in small letters.

    A space stands in front of a token that begins a word, and in the place of one that is no text. A byte-level
    tokenizer's letters are its signs for bytes.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._tables: dict[torch.device, Tensor] = {}

    def __call__(self, ids: Tensor) -> Tensor:
        """Code points, 0 behind a token's last letter; of ids above the vocabulary, a space.

        Shape: ids (...), result (..., 16), int64.
        """
        if ids.device not in self._tables:
            self._tables[ids.device] = self._table().to(ids.device)
        table = self._tables[ids.device]
        return table[ids.clamp(max=len(table) - 1)].long()

    def _table(self) -> Tensor:
        """Shape: (tokens + 1, 16), int32; the last row is a space."""
        tokens = [str(token) for token in self._tokenizer.convert_ids_to_tokens(list(range(len(self._tokenizer))))]
        spelled = _spelled(tokens)
        for number in self._tokenizer.all_special_ids:
            spelled[number] = " "
        points = np.array([*spelled, " "], dtype=f"U{LONGEST_SPELLING}").view(np.uint32)
        return torch.from_numpy(points.reshape(-1, LONGEST_SPELLING).astype(np.int32))


def _spelled(tokens: Sequence[str]) -> list[str]:
    if mark := continuation_mark(tokens):
        return [token.removeprefix(mark) if token.startswith(mark) else f" {token}".lower() for token in tokens]
    spaces = str.maketrans(dict.fromkeys(BEGINNINGS, " "))
    return [token.translate(spaces).lower() for token in tokens]
