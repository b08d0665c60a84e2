"""IA3: what is asked for, what an adapter is, and its row."""

from dataclasses import dataclass
from typing import ClassVar

from adaptkit.config import LINEAR_SITES, SiteName, SiteShape
from adaptkit.later import later
from adaptkit.methods.checks import require_places
from adaptkit.methods.method import Method, MethodOptions, Surroundings, TensorShapes
from adaptkit.options import option

_ALLOWED: tuple[SiteName, ...] = (*LINEAR_SITES, "ffn.activation")
_FUSED: tuple[SiteName, ...] = ("attention.qkv", "ffn.activation")


@dataclass(frozen=True, kw_only=True)
class Ia3Config:
    """Infused adapter by inhibiting and amplifying inner activations (Liu et al. 2022, arXiv:2205.05638).

    A learned number for each component of a site's output multiplies it; by default, as in the paper, of keys, values
    and what the feed-forward's activation function gives. `blocks` limits the adapter to some transformer blocks.

    Raises:
        ConfigError: A site or block that cannot be right.
    """

    sites: tuple[SiteName, ...] = ("attention.key", "attention.value", "ffn.activation")
    blocks: tuple[int, ...] | None = None
    fuses: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        require_places("ia3", self.sites, _ALLOWED, self.blocks)

    def tensors(self, place: SiteShape) -> TensorShapes:
        """A number for each component of the site's output."""
        return {"scales": (place.out_width,)}


@dataclass(frozen=True, kw_only=True)
class Ia3(MethodOptions):
    """An IA3 to be trained.

    Raises:
        ConfigError: Options that cannot be right.
    """

    sites: tuple[SiteName, ...] | None = option(None, "sites to act at (default: all of the method's)")
    blocks: tuple[int, ...] | None = option(None, "transformer blocks to act in, from 0 (default: all)")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.config(Surroundings())

    def config(self, there: Surroundings) -> Ia3Config:
        """The adapter that is meant: without `sites`, at the three of the paper.

        Where one layer gives keys and values together with queries, it is at that one.
        """
        found = _FUSED if "attention.qkv" in there.sites else Ia3Config.sites
        return Ia3Config(sites=self.sites or found, blocks=self.blocks)


IA3 = Method(
    name="ia3",
    config=Ia3Config,
    options=Ia3,
    layer=later("adaptkit.layers.ia3", "ia3_layer"),
    paper="IA3: Liu et al. 2022, arXiv:2205.05638",
    # A scale is one number where a low-rank term is a product of two matrices, whose changes add up.
    learning_rate=5e-3,
    text_rate=10,
)
