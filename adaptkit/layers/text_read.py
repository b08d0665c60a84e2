"""What a backbone reads now, for layers far above the word embeddings that look at the letters of a text."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class TextRead:
    """Token ids, which of them are no padding, and what gives the letters of tokens, 0 behind the last one of each.

    Shape: ids and mask (rows, seq); letters (rows, seq) to (rows, seq, letters of a token).
    """

    ids: Tensor
    mask: Tensor
    letters: Callable[[Tensor], Tensor]

    def of_rows(self, rows: slice) -> "TextRead":
        """Its part for some rows of the batch."""
        return TextRead(self.ids[rows], self.mask[rows], self.letters)

    def spelled(self) -> Tensor:
        """The letters of each row, one behind the other, and zeros behind the last one.

        Shape: (rows, seq * letters of a token).
        """
        letters = (self.letters(self.ids) * (self.mask > 0)[..., None]).flatten(1)
        there = letters > 0
        behind = letters.shape[1]
        places = torch.where(there, there.cumsum(dim=1) - 1, behind)
        return letters.new_zeros(len(letters), behind + 1).scatter(1, places, letters)[:, :behind]


_READ: ContextVar[TextRead | None] = ContextVar("adaptkit_text_read", default=None)


def text_read() -> TextRead | None:
    """What is read in this thread; None where the backbone was called past the model."""
    return _READ.get()


@contextmanager
def reading(text: TextRead | None) -> Iterator[None]:
    """While open, layers in this thread are told that the backbone reads this."""
    token = _READ.set(text)
    try:
        yield
    finally:
        _READ.reset(token)
