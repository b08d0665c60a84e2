"""IA3 at one site: a learned number for each component of its output."""

from collections.abc import Hashable, Sequence
from typing import Self

import torch
from torch import Tensor, nn

from adaptkit.config import SiteShape
from adaptkit.layers.adapter_layer import BatchedLayer
from adaptkit.methods.ia3 import Ia3Config


class Ia3Layer(BatchedLayer):
    """`site_output * scales` (Liu et al. 2022, arXiv:2205.05638).

    The scales start at one, so a fresh layer changes nothing. The product is rounded to the site's type, the scales are
    not: near one, where they begin, bfloat16 has steps of 1/128, and what is learned would be lost in them.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scales = nn.Parameter(torch.ones(width))

    def forward(self, site_input: object, site_output: Tensor) -> Tensor:  # noqa: ARG002 - the layer contract
        """Shape: site_output and result (..., width)."""
        return (site_output * self.scales).to(site_output.dtype)

    def output_scales(self) -> Tensor:
        """The scales. Shape: (width,), float32."""
        return self.scales.detach().float()

    @property
    def shape(self) -> Hashable:
        """Layers of one site can always act at once."""
        return self.scales.shape

    @classmethod
    def act_at_once(cls, layers: Sequence[Self], site_output: Tensor) -> None:
        """One product for the rows of many adapters. Shape: (len(layers), tokens, width)."""
        scales = torch.stack([layer.scales for layer in layers]).unsqueeze(1)
        # Kept for backward, while its place in the result changes.
        before = site_output.clone() if torch.is_grad_enabled() else site_output
        site_output.copy_(before * scales)


def ia3_layer(config: Ia3Config, place: SiteShape) -> Ia3Layer:  # noqa: ARG001 - as of every method
    """A fresh layer at a site."""
    return Ia3Layer(place.out_width)
