"""A table in 16 bits."""

import torch
from torch import Tensor

from adaptkit.backbones.table_source import TableSource
from adaptkit.backbones.word_embeddings import WordEmbeddings
from adaptkit.errors import ConfigError
from adaptkit.terminal.asking import as_typed

_LARGEST = torch.finfo(torch.float16).max


class Fp16Rows(WordEmbeddings):
    """Rows in float16, whose numbers have eleven bits: three more than bfloat16, as no table needs its large ones.

    Raises:
        ConfigError: A value that float16 does not reach.
    """

    each_on_gpu = True

    def __init__(self, source: TableSource) -> None:
        super().__init__(source.n_rows, source.width, source.dtype)
        self.register_buffer("table", torch.empty(self.n_rows, self.width, dtype=torch.float16))
        for places, piece in source.pieces():
            if float(largest := piece.abs().max()) > _LARGEST:
                raise ConfigError(
                    f"the word embeddings hold {float(largest):g}, and float16 ends at {_LARGEST:,.0f}; hold them in "
                    f"another form, such as {as_typed(embeddings='resident')}."
                )
            self.get_buffer("table")[places] = piece.to(torch.float16)

    def rows(self, ids: Tensor) -> Tensor:
        """The vectors of distinct ids, ascending. Shape: ids (n), result (n, width)."""
        return self.get_buffer("table")[ids].to(self.dtype)
