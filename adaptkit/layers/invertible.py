"""Invertible layer at the embeddings: additive coupling, undone before the masked-LM projection."""

import torch
from torch import Tensor, nn

from adaptkit.config import Activation, SiteShape
from adaptkit.layers.activations import ACTIVATIONS
from adaptkit.layers.adapter_layer import AdapterLayer
from adaptkit.layers.types import MasterLinear
from adaptkit.methods import InvertibleConfig


class InvertibleLayer(AdapterLayer):
    """Additive coupling of the two halves of each vector (NICE, Dinh et al. 2014, arXiv:1410.8516).

    `first' = first + f(second)`, then `second' = second + g(first')`. Both networks end in zeros, so a fresh layer
    is the identity. `inverse` undoes `forward` exactly, up to rounding.
    """

    def __init__(self, *, hidden_width: int, coupling_width: int, activation: Activation) -> None:
        super().__init__()
        self.split = hidden_width // 2
        rest = hidden_width - self.split
        self.f = _coupling(rest, coupling_width, self.split, activation)
        self.g = _coupling(self.split, coupling_width, rest, activation)

    def forward(self, site_input: object, site_output: Tensor) -> Tensor:  # noqa: ARG002 - the layer contract
        """Transform embeddings. The site's input (token ids) is not used.

        Shape: site_output and result (..., hidden_width).
        """
        first, second = site_output[..., : self.split], site_output[..., self.split :]
        first = first + self.f(second).to(first.dtype)
        second = second + self.g(first).to(second.dtype)
        return torch.cat([first, second], dim=-1)

    def inverse(self, vectors: Tensor) -> Tensor:
        """Undo `forward`.

        Shape: (..., hidden_width) to (..., hidden_width).
        """
        first, second = vectors[..., : self.split], vectors[..., self.split :]
        second = second - self.g(first).to(second.dtype)
        first = first - self.f(second).to(first.dtype)
        return torch.cat([first, second], dim=-1)


def invertible_layer(config: InvertibleConfig, place: SiteShape) -> InvertibleLayer:
    """A fresh layer at the embeddings."""
    return InvertibleLayer(
        hidden_width=place.out_width, coupling_width=config.width(place.out_width), activation=config.activation
    )


def _coupling(in_width: int, inner_width: int, out_width: int, activation: Activation) -> nn.Sequential:
    last = MasterLinear(inner_width, out_width)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(MasterLinear(in_width, inner_width), ACTIVATIONS[activation](), last)
