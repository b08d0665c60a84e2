"""Bottleneck adapter at one site."""

from torch import Tensor, nn

from adaptkit.config import Activation, SiteShape
from adaptkit.layers.activations import ACTIVATIONS
from adaptkit.layers.types import MasterLinear
from adaptkit.methods import BottleneckConfig


class BottleneckLayer(nn.Module):
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


def bottleneck_layer(config: BottleneckConfig, place: SiteShape) -> BottleneckLayer:
    """A fresh layer at a site."""
    return BottleneckLayer(
        hidden_width=place.out_width, bottleneck_width=config.width(place.out_width), activation=config.activation
    )
