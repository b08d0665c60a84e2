"""Bottlenecks: what is asked for, what an adapter is, and their row."""

from dataclasses import dataclass
from typing import ClassVar

from adaptkit.config import MAX_RANK, RESIDUAL_SITES, Activation, SiteName, SiteShape
from adaptkit.later import later
from adaptkit.methods.checks import require_activation, require_places, require_width
from adaptkit.methods.method import Method, MethodOptions, Surroundings, TensorShapes
from adaptkit.options import option


@dataclass(frozen=True, kw_only=True)
class BottleneckConfig:
    """Bottleneck adapter (Houlsby et al. 2019; Pfeiffer et al. 2020): `y + up(act(down(y)))` on a sublayer's output.

    The bottleneck width is `hidden_width // reduction_factor`. Site `attention.residual` is the hidden state after
    attention, `block.output` the one after the feed-forward. `blocks` names the blocks kept; leave numbers out to
    leave layers out.

    Raises:
        ConfigError: A factor, activation, site or block that cannot be right.
    """

    reduction_factor: int = 16
    activation: Activation = "relu"
    sites: tuple[SiteName, ...] = ("block.output",)
    blocks: tuple[int, ...] | None = None
    fuses: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        require_width(self.reduction_factor, "reduction_factor")
        require_activation(self.activation)
        require_places("bottleneck", self.sites, RESIDUAL_SITES, self.blocks)

    def width(self, hidden_width: int) -> int:
        """The bottleneck width for a backbone of this hidden width."""
        return max(1, hidden_width // self.reduction_factor)

    def tensors(self, place: SiteShape) -> TensorShapes:
        """The projections down and up, with their biases."""
        return bottleneck_tensors(place.out_width, self.width(place.out_width))


def bottleneck_tensors(hidden_width: int, width: int) -> TensorShapes:
    """Projections to a width and back, with their biases."""
    return {
        "down.weight": (width, hidden_width),
        "down.bias": (width,),
        "up.weight": (hidden_width, width),
        "up.bias": (hidden_width,),
    }


@dataclass(frozen=True, kw_only=True)
class Bottleneck(MethodOptions):
    """A bottleneck adapter to be trained.

    Raises:
        ConfigError: Options that cannot be right.
    """

    reduction_factor: int = option(16, "bottleneck: hidden width / bottleneck width", least=1, most=MAX_RANK)
    sites: tuple[SiteName, ...] | None = option(None, "sites to act at (default: all of the method's)")
    blocks: tuple[int, ...] | None = option(None, "transformer blocks to act in, from 0 (default: all)")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.config(Surroundings())

    def config(self, there: Surroundings) -> BottleneckConfig:  # noqa: ARG002 - every backbone has its sites
        """The bottlenecks that are meant: without `sites`, one after each block."""
        return BottleneckConfig(
            reduction_factor=self.reduction_factor, sites=self.sites or BottleneckConfig.sites, blocks=self.blocks
        )


BOTTLENECK = Method(
    name="bottleneck",
    config=BottleneckConfig,
    options=Bottleneck,
    layer=later("adaptkit.layers.bottleneck", "bottleneck_layer"),
    paper="bottleneck adapters: Pfeiffer et al. 2020 (MAD-X), arXiv:2005.00052",
)
