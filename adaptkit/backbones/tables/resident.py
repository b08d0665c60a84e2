"""A table as it is stored."""

import torch
from torch import Tensor

from adaptkit.backbones.table_source import TableSource
from adaptkit.backbones.word_embeddings import WordEmbeddings


class ResidentRows(WordEmbeddings):
    """Some rows of the table as they are stored."""

    each_on_gpu = True

    def __init__(self, source: TableSource) -> None:
        super().__init__(source.n_rows, source.width, source.dtype)
        self.register_buffer("table", torch.empty(self.n_rows, self.width, dtype=self.dtype))
        for places, piece in source.pieces():
            self.get_buffer("table")[places] = piece

    def rows(self, ids: Tensor) -> Tensor:
        """The vectors of distinct ids, ascending. Shape: ids (n), result (n, width)."""
        return self.get_buffer("table")[ids]
