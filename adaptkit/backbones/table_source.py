"""What a table of word embeddings is made of, in whatever form."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.backbones.stored_tensors import StoredTensor
from adaptkit.holding import CACHE_BYTES

_ROWS_AT_ONCE = 8192


@dataclass(frozen=True)
class TableSource:
    """Where the table is stored, the rows that are kept (ascending; None: all), and the type that vectors come in.

    `cache_bytes` is what rows in use may take where the others stay in the file.
    """

    stored: StoredTensor
    kept: NDArray[np.int64] | None = None
    dtype: torch.dtype = torch.float32
    cache_bytes: int = CACHE_BYTES

    @property
    def n_rows(self) -> int:
        """How many rows are kept."""
        return self.stored.shape[0] if self.kept is None else len(self.kept)

    @property
    def width(self) -> int:
        """The width of a row."""
        return self.stored.shape[1]

    def check(self) -> None:
        """Read every row once, and keep none.

        Raises:
            CorruptBackbone: NaN or Inf among them.
        """
        for _ in self.stored.in_pieces(_ROWS_AT_ONCE):
            pass

    def pieces(self) -> Iterator[tuple[slice, Tensor]]:
        """The kept rows, some thousand at a time, with their places among the kept."""
        place = 0
        for first, piece in self.stored.in_pieces(_ROWS_AT_ONCE):
            chosen = piece if self.kept is None else piece[self._kept_of(self.kept, first, len(piece))]
            if len(chosen):
                yield slice(place, place + len(chosen)), chosen
            place += len(chosen)

    def _kept_of(self, kept: NDArray[np.int64], first: int, count: int) -> Tensor:
        low, high = np.searchsorted(kept, [first, first + count])
        return torch.from_numpy(kept[low:high] - first)
