"""A table in 8 bits."""

import torch
from torch import Tensor

from adaptkit.backbones.table_source import TableSource
from adaptkit.backbones.word_embeddings import WordEmbeddings


class Int8Rows(WordEmbeddings):
    """Rows in 8 bits with one scale each."""

    each_on_gpu = True

    def __init__(self, source: TableSource) -> None:
        super().__init__(source.n_rows, source.width, source.dtype)
        self.register_buffer("codes", torch.empty(self.n_rows, self.width, dtype=torch.int8))
        self.register_buffer("scales", torch.empty(self.n_rows, 1))
        for places, piece in source.pieces():
            scales = piece.float().abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
            self.get_buffer("codes")[places] = torch.round(piece.float() / scales).to(torch.int8)
            self.get_buffer("scales")[places] = scales

    def rows(self, ids: Tensor) -> Tensor:
        """The vectors of distinct ids, ascending. Shape: ids (n), result (n, width)."""
        return (self.get_buffer("codes")[ids] * self.get_buffer("scales")[ids]).to(self.dtype)
