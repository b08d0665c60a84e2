"""Bottleneck before a layer norm of the backbone, as in AdapterHub's MAD-X adapters.

s (residual sum) ──────────────────────(+)── norm ──> site_output
       └─ norm ── y ── down, act, up ───┘
"""

from torch import Tensor, nn

from adaptkit.config import Activation, SiteShape
from adaptkit.layers.activations import ACTIVATIONS
from adaptkit.layers.adapter_layer import AdapterLayer, HandsOn
from adaptkit.layers.normed import Normed
from adaptkit.layers.types import MasterLinear
from adaptkit.methods import BottleneckMadxConfig


class BottleneckMadxLayer(HandsOn, AdapterLayer):
    """`site_output + norm(s + up(act(down(site_output)))) - norm(s)`, where `norm` is the backbone's own.

    Alone, with `site_output = norm(s)`, that is the adapter of MAD-X (Pfeiffer et al. 2020, arXiv:2005.00052), and in a
    stack of such, where `s` is handed on with what was added to it, AdapterHub's stack. What other layers have added
    to `site_output` stays. This and DoRA's are the layers that are given a module of the backbone.
    """

    def __init__(self, *, hidden_width: int, bottleneck_width: int, activation: Activation) -> None:
        super().__init__()
        self.down = MasterLinear(hidden_width, bottleneck_width)
        self.activation = ACTIVATIONS[activation]()
        self.up = MasterLinear(bottleneck_width, hidden_width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, site_input: Normed, site_output: Tensor) -> Tensor:
        """Shape: site_output and result (..., hidden_width)."""
        return self.handed_on(site_input, site_output)[1]

    def handed_on(self, site_input: Normed, site_output: Tensor) -> tuple[Normed, Tensor]:
        """As `forward`, with the site input for the layer above."""
        moved = site_input.plus(self.up(self.activation(self.down(site_output))))
        if site_output is site_input.after:
            return moved, moved.after
        return moved, site_output + (moved.after - site_input.after)


def bottleneck_madx_layer(config: BottleneckMadxConfig, place: SiteShape) -> BottleneckMadxLayer:
    """A fresh layer at a site."""
    return BottleneckMadxLayer(
        hidden_width=place.out_width, bottleneck_width=config.width, activation=config.activation
    )
