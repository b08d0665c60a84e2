"""Embedding rows of pieces that the backbone's vocabulary does not have."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.config import SiteShape
from adaptkit.layers.adapter_layer import AdapterLayer
from adaptkit.methods import PiecesConfig

_STD = 0.02


class PieceRows(AdapterLayer):
    """Gives token ids from `first` on a row of its own, and leaves all other ids what the backbone's table gives.

    The table itself is asked for another token in their places, and stays as it is.
    """

    def __init__(self, *, n_pieces: int, width: int, first: int) -> None:
        super().__init__()
        self.first = first
        self.rows = nn.Parameter(torch.randn(n_pieces, width) * _STD)

    def forward(self, site_input: Tensor, site_output: Tensor) -> Tensor:
        """Shape: site_input (..., seq) token ids as the text has them, site_output and result (..., seq, width)."""
        places = site_input - self.first
        own = F.embedding(places.clamp(min=0), self.rows).to(site_output.dtype)
        return torch.where((places >= 0)[..., None], own, site_output)

    def start_from(self, rows: Tensor) -> None:
        """Take these rows. Shape: (n_pieces, width)."""
        with torch.no_grad():
            self.rows.copy_(rows)


def piece_rows(config: PiecesConfig, place: SiteShape) -> PieceRows:
    """A fresh layer at the word embeddings, whose `in_width` is the number of the backbone's own rows."""
    return PieceRows(n_pieces=len(config), width=place.out_width, first=place.in_width)
