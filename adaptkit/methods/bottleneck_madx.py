"""Bottlenecks before a layer norm, as MAD-X adapters have them: what an adapter is, and their row."""

from dataclasses import dataclass
from typing import ClassVar

from adaptkit.config import RESIDUAL_SITES, Activation, SiteName, SiteShape
from adaptkit.later import later
from adaptkit.methods.bottleneck import bottleneck_tensors
from adaptkit.methods.checks import require_activation, require_places, require_width
from adaptkit.methods.method import Method, TensorShapes


@dataclass(frozen=True, kw_only=True)
class BottleneckMadxConfig:
    """Bottleneck of MAD-X as AdapterHub places it (Pfeiffer et al. 2020, arXiv:2005.00052).

    It computes `norm(s + up(act(down(y))))`, where `s` is the residual sum that the backbone's layer norm reads at the
    site, and `y = norm(s)`. The bottleneck has this `width`. Adapters of this method are imported, not trained.

    Raises:
        ConfigError: A width, activation, site or block that cannot be right.
    """

    width: int
    activation: Activation = "relu"
    sites: tuple[SiteName, ...] = ("block.output",)
    blocks: tuple[int, ...] | None = None
    fuses: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        require_width(self.width, "width")
        require_activation(self.activation)
        require_places("bottleneck_madx", self.sites, RESIDUAL_SITES, self.blocks)

    def tensors(self, place: SiteShape) -> TensorShapes:
        """The projections down and up, with their biases."""
        return bottleneck_tensors(place.out_width, self.width)


BOTTLENECK_MADX = Method(
    name="bottleneck_madx",
    config=BottleneckMadxConfig,
    layer=later("adaptkit.layers.bottleneck_madx", "bottleneck_madx_layer"),
    imported_by="import_adapterhub",
    format_version=4,
    before_norm=True,
)
