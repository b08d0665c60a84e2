"""A table in 4 bits."""

import torch
from torch import Tensor, nn

from adaptkit.backbones.bitsandbytes_package import bitsandbytes
from adaptkit.backbones.table_source import TableSource
from adaptkit.backbones.word_embeddings import WordEmbeddings

_NF4_BLOCK = 64


class Nf4Rows(WordEmbeddings):
    """Rows in 4-bit NormalFloat, a scale for each 64 values (Dettmers et al. 2023, arXiv:2305.14314)."""

    def __init__(self, source: TableSource) -> None:
        super().__init__(source.n_rows, source.width, source.dtype)
        self._n_blocks = -(-self.width // _NF4_BLOCK)
        padded = self._n_blocks * _NF4_BLOCK
        self.register_buffer("packed", torch.empty(self.n_rows, padded // 2, dtype=torch.uint8))
        self.register_buffer("scales", torch.empty(self.n_rows, self._n_blocks))
        for places, piece in source.pieces():
            whole = nn.functional.pad(piece.float(), (0, padded - self.width))
            packed, state = bitsandbytes().functional.quantize_4bit(whole, blocksize=_NF4_BLOCK, quant_type="nf4")
            self.get_buffer("packed")[places] = packed.reshape(len(piece), -1)
            self.get_buffer("scales")[places] = state.absmax.reshape(len(piece), -1)
            code = state.code
        self.register_buffer("code", code)

    def rows(self, ids: Tensor) -> Tensor:
        """The vectors of distinct ids, ascending. Shape: ids (n), result (n, width)."""
        packed = self.get_buffer("packed")[ids]
        # The high half of a byte is the earlier value.
        codes = torch.stack([packed >> 4, packed & 15], dim=-1).reshape(len(ids), self._n_blocks, _NF4_BLOCK)
        values = self.get_buffer("code")[codes.long()] * self.get_buffer("scales")[ids].unsqueeze(-1)
        return values.reshape(len(ids), self._n_blocks * _NF4_BLOCK)[:, : self.width].to(self.dtype)
