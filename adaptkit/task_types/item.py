"""What a task is trained on at once, and what a head's outputs are read back with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ids: TypeAlias = NDArray[np.int32]

IGNORED = -100
"""The target of what has none, such as a word without a tag among words that have one: no loss is taken at it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One row of token ids, or several that belong together: the choices of a question, the sentences of a pair.

    `example` numbers the example that it comes from; a long context gives several items. `target` is what the loss
    wants (a label, a tag for each token, start and end, the right choice, a score), empty where nothing is labelled.
    `places` says where in the example the tokens stand: for tagging the token that each word begins with, for question
    answering the characters of each token, from and to, or -1 outside the context. `cut` says that a text was too long.
    """

    example: int
    rows: tuple[Ids, ...]
    target: tuple[float, ...] = ()
    places: Ids | None = None
    language: str | None = None
    cut: bool = False

    @property
    def length(self) -> int:
        """Tokens of the longest row."""
        return max(len(row) for row in self.rows)

    @property
    def n_tokens(self) -> int:
        """Tokens of all rows."""
        return sum(len(row) for row in self.rows)


def as_ids(row: Sequence[int] | Ids) -> Ids:
    """Token ids in four bytes each."""
    return np.asarray(row, dtype=np.int32)
