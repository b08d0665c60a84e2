"""States of texts that no weight in training changes, kept from the time that they are read."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from adaptkit.terminal.amounts import bytes_text

_MOST_BYTES = 2**29


class KeptStates:
    """By number, the states of a text's tokens and of no padding, in the type in which they were added.

    A number may stand for several rows of a batch, which stand together: those of an item.
    """

    def __init__(self) -> None:
        self._of: dict[int, Tensor] = {}

    def add(self, numbers: Sequence[int], states: Tensor, mask: Tensor, n_rows: Sequence[int] = ()) -> None:
        """Keep the states of a batch. `n_rows` are how many rows of it each number stands for; one, if not said.

        Shape: states (rows, seq, width), mask (rows, seq).
        """
        there = mask.bool()
        n_tokens = [int(rows.sum()) for rows in torch.split(there, list(n_rows) or [1] * len(numbers))]
        self._of.update(zip(numbers, torch.split(states[there], n_tokens), strict=True))

    def of(self, numbers: Sequence[int], mask: Tensor) -> Tensor | None:
        """The states of a batch, zeros where it is padded; None if it is empty, or one of it was not added.

        Shape: mask (rows, seq), result (rows, seq, width).
        """
        if not numbers or any(number not in self._of for number in numbers):
            return None
        found = torch.cat([self._of[number] for number in numbers])
        there = mask.bool()
        states = found.new_zeros(*there.shape, found.shape[1])
        states[there] = found
        return states

    def forget(self) -> None:
        """Drop them all."""
        self._of.clear()


@dataclass(frozen=True)
class ReadOnce:
    """Batches of all texts that a run reads, by number, each once; and where their states are, once they are read."""

    batches: Sequence[list[int]] = ()
    states: KeptStates = field(default_factory=KeptStates)


@dataclass(frozen=True)
class StatesSize:
    """How much memory states take: of so many tokens, each of so many numbers."""

    n_tokens: int
    width: int

    @property
    def fit(self) -> bool:
        """Whether the memory that is given to states holds them."""
        return self._bytes <= _MOST_BYTES

    @property
    def _bytes(self) -> int:
        return 4 * self.n_tokens * self.width

    def __str__(self) -> str:
        held = bytes_text(_MOST_BYTES)
        return f"the states of {self.n_tokens:,} tokens take {bytes_text(self._bytes)}, and {held} are there for them"
