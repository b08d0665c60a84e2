"""Learned attention over the contributions of several adapters at one site."""

import math

import torch
from torch import Tensor, nn

from adaptkit.config import SiteShape
from adaptkit.layers.adapter_layer import MixingLayer
from adaptkit.layers.types import MasterLinear
from adaptkit.methods import FusionConfig


class FusionLayer(MixingLayer):
    """`y + sum(p_i * c_i)` with `p = softmax(q(y) k(c_i) / sqrt(width))`, `c_i` being what adapter i adds to `y`.

    After AdapterFusion (Pfeiffer et al. 2021, arXiv:2005.00247), with narrow queries and keys and without a value
    matrix, so that it fits every site. Queries start at zero: a fresh layer averages the contributions equally.
    """

    def __init__(self, *, width: int, site_width: int) -> None:
        super().__init__()
        self.query = MasterLinear(site_width, width, bias=False)
        self.key = MasterLinear(site_width, width, bias=False)
        nn.init.zeros_(self.query.weight)

    def forward(self, site_output: Tensor, contributions: Tensor) -> Tensor:
        """Mix the contributions.

        Shape: site_output and result (..., site_width), contributions (n_adapters, ..., site_width).
        """
        # Shares in 16 bits would be steps of a hundredth.
        query, keys = self.query(site_output).float(), self.key(contributions).float()
        shares = torch.softmax((keys * query).sum(dim=-1) / math.sqrt(query.shape[-1]), dim=0)
        mixed = (shares.unsqueeze(-1).to(contributions.dtype) * contributions).sum(dim=0)
        return site_output + mixed.to(site_output.dtype)


def fusion_layer(config: FusionConfig, place: SiteShape) -> FusionLayer:
    """A fresh layer at a site."""
    return FusionLayer(width=config.width, site_width=place.out_width)
