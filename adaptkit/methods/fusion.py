"""Fusion: what is asked for, what an adapter is, and its row."""

from dataclasses import dataclass

from adaptkit.config import ENCODER_LINEAR_SITES, LINEAR_SITES, RESIDUAL_SITES, SITES, SiteName, SiteShape
from adaptkit.errors import ConfigError
from adaptkit.later import later
from adaptkit.methods.checks import require, require_places, require_width
from adaptkit.methods.method import Method, MethodOptions, Surroundings, TensorShapes
from adaptkit.options import option


@dataclass(frozen=True, kw_only=True)
class FusionConfig:
    """Learned attention over the contributions of other adapters (after AdapterFusion, Pfeiffer et al. 2021).

    At every site, queries come from the site's output and keys from the adapters' contributions, both of `width`;
    the contributions themselves are mixed. `fuses` are the adapters' ids, in order.

    Raises:
        ConfigError: Fewer than two adapters, one of them twice, or a width or site that cannot be right.
    """

    fuses: tuple[str, ...]
    width: int = 16
    sites: tuple[SiteName, ...] = ENCODER_LINEAR_SITES
    blocks: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        require(len(self.fuses) >= 2, "fusion needs at least two adapters to choose among.")
        require(len(set(self.fuses)) == len(self.fuses), f"fusion names an adapter twice: {', '.join(self.fuses)}.")
        require_width(self.width, "width")
        require_places("fusion", self.sites, (*LINEAR_SITES, "ffn.activation", *RESIDUAL_SITES), self.blocks)

    def tensors(self, place: SiteShape) -> TensorShapes:
        """The projections to queries and keys."""
        return dict.fromkeys(("query.weight", "key.weight"), (self.width, place.out_width))


@dataclass(frozen=True, kw_only=True)
class Fusion(MethodOptions):
    """Attention over the adapters below, to be trained; they stay as they are."""

    sites: tuple[SiteName, ...] | None = option(None, "sites to act at (default: all of the method's)")
    blocks: tuple[int, ...] | None = option(None, "transformer blocks to act in, from 0 (default: all)")

    def config(self, there: Surroundings) -> FusionConfig:
        """The fusion of what lies below: without `sites`, wherever one of those acts."""
        if inverting := [below.id for below in there.below if below.inverts]:
            raise ConfigError(f"{', '.join(inverting)} have an invertible layer, which cannot be fused.")
        acting = {site for below in there.below for site in below.sites}
        return FusionConfig(
            fuses=tuple(below.id for below in there.below),
            sites=self.sites or tuple(site for site in SITES if site in acting),
            blocks=self.blocks,
        )


FUSION = Method(
    name="fusion",
    config=FusionConfig,
    options=Fusion,
    layer=later("adaptkit.layers.fusion", "fusion_layer"),
    kinds=("language", "domain"),
    why_kinds="fusion is trained on text, over language adapters; a task can be trained on top of it.",
    paper="fusion: Pfeiffer et al. 2021 (AdapterFusion), arXiv:2005.00247",
)
