"""A table of word embeddings as one operation, so that a compiled graph may hold it whatever its form.

A paged table reads a file, a trimmed one counts what it replaces: neither can be traced. As an operation of torch, what
happens inside is nobody's business but the shape of what comes out.
"""

from itertools import count
from weakref import WeakValueDictionary

import torch
from torch import Tensor, nn

from adaptkit.backbones.word_embeddings import WordEmbeddings

_numbers = count()
_tables: WeakValueDictionary[int, WordEmbeddings] = WeakValueDictionary()


class LookedUp(nn.Module):
    """The same vectors as the table's own, which is kept and not copied.

    `given` stands for them where it is set: a recorded pass cannot hold a table that reads a file.
    """

    def __init__(self, table: WordEmbeddings) -> None:
        super().__init__()
        self.table = table
        self.given: Tensor | None = None
        # An operation takes tensors and numbers, and no modules.
        self._number = next(_numbers)
        _tables[self._number] = table

    def forward(self, ids: Tensor) -> Tensor:
        """Shape: ids (...), result (..., width)."""
        return self.vectors(ids) if self.given is None else self.given

    def vectors(self, ids: Tensor) -> Tensor:
        """What the table has for ids that it knows. Shape: ids (...), result (..., width)."""
        found: Tensor = _vectors(ids, self._number)
        return found


@torch.library.custom_op("adaptkit::word_embeddings", mutates_args=())
def _vectors(ids: Tensor, number: int) -> Tensor:
    return _tables[number].forward(ids)


@_vectors.register_fake
def _shape_of_vectors(ids: Tensor, number: int) -> Tensor:
    table = _tables[number]
    return ids.new_empty((*ids.shape, table.width), dtype=table.dtype)
