"""States of items that no weight in training changes, read once: where a head alone trains."""

from torch import Tensor

from adaptkit.heads.batch import Batch

_MOST_BYTES = 2**29


class KeptStates:
    """By item, the states of its rows, as long as they are. Whoever adds says which batch they are of."""

    def __init__(self) -> None:
        self._rows: dict[int, list[Tensor]] = {}

    def add(self, batch: Batch, states: Tensor) -> None:
        """Keep the states of a batch's items. Shape: (rows, seq, hidden_width)."""
        lengths = batch.mask.sum(dim=1).tolist()
        rows = iter([row[:length].clone() for row, length in zip(states, lengths, strict=True)])
        for item, n_rows in zip(batch.items, batch.groups, strict=True):
            self._rows[item] = [next(rows) for _ in range(n_rows)]

    def of(self, batch: Batch) -> Tensor | None:
        """The states of a batch, zeros where it is padded; None if it has an item that was not read.

        Shape: (rows, seq, hidden_width).
        """
        if not batch.items or any(item not in self._rows for item in batch.items):
            return None
        rows = [row for item in batch.items for row in self._rows[item]]
        states = rows[0].new_zeros((*batch.ids.shape, rows[0].shape[-1]))
        for place, row in zip(states, rows, strict=True):
            place[: len(row)] = row
        return states


def worth_keeping(n_tokens: int, width: int) -> bool:
    """Whether states of so many tokens fit the memory that is given to them."""
    return 4 * n_tokens * width <= _MOST_BYTES
