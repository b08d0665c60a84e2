"""Bottleneck adapter at one site."""

from collections.abc import Hashable, Sequence
from typing import Self

import torch
from torch import Tensor, nn

from adaptkit.config import Activation, SiteShape
from adaptkit.layers.activations import ACTIVATIONS
from adaptkit.layers.adapter_layer import BatchedLayer
from adaptkit.layers.types import MasterLinear
from adaptkit.methods import BottleneckConfig


class BottleneckLayer(BatchedLayer):
    """`site_output + up(act(down(site_output)))` (Houlsby et al. 2019, arXiv:1902.00751).

    `up` starts at zero, so a fresh layer changes nothing.
    """

    def __init__(self, *, hidden_width: int, bottleneck_width: int, activation: Activation) -> None:
        super().__init__()
        self.down = MasterLinear(hidden_width, bottleneck_width)
        self.activation = ACTIVATIONS[activation]()
        self.up = MasterLinear(bottleneck_width, hidden_width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, site_input: Tensor, site_output: Tensor) -> Tensor:  # noqa: ARG002 - the layer contract
        """Add the bottleneck's change to the site's output; the site's input is not used.

        Shape: site_output and result (..., hidden_width).
        """
        change: Tensor = self.up(self.activation(self.down(site_output)))
        return site_output + change.to(site_output.dtype)

    @property
    def shape(self) -> Hashable:
        """Its width and its activation."""
        return self.down.out_features, type(self.activation)

    @classmethod
    def act_at_once(cls, layers: Sequence[Self], site_output: Tensor) -> None:
        """Two batched products. Shape: (len(layers), tokens, hidden_width)."""
        # Kept for backward, while its place in the result changes.
        x = site_output.clone() if torch.is_grad_enabled() else site_output
        down = torch.stack([layer.down.weight for layer in layers]).to(x.dtype)
        down_bias = torch.stack([layer.down.bias for layer in layers]).unsqueeze(1).to(x.dtype)
        up = torch.stack([layer.up.weight.t() for layer in layers]).to(x.dtype)
        up_bias = torch.stack([layer.up.bias for layer in layers]).unsqueeze(1).to(x.dtype)
        narrow = layers[0].activation(torch.baddbmm(down_bias, x, down.transpose(1, 2)))
        site_output += torch.baddbmm(up_bias, narrow, up).to(site_output.dtype)


def bottleneck_layer(config: BottleneckConfig, place: SiteShape) -> BottleneckLayer:
    """A fresh layer at a site."""
    return BottleneckLayer(
        hidden_width=place.out_width, bottleneck_width=config.width(place.out_width), activation=config.activation
    )
