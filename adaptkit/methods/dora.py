"""DoRA: what is asked for, what an adapter is, and its row."""

from dataclasses import dataclass
from typing import ClassVar

from adaptkit.config import ENCODER_LINEAR_SITES, LINEAR_SITES, Scaling, SiteName, SiteShape
from adaptkit.later import later
from adaptkit.methods.checks import require_places
from adaptkit.methods.lora import Lora, require_low_rank, scale_of
from adaptkit.methods.method import Method, Surroundings, TensorShapes
from adaptkit.options import option


@dataclass(frozen=True, kw_only=True)
class DoraConfig:
    """Weight-decomposed low-rank adaptation (Liu et al. 2024, arXiv:2402.09353).

    The weight `W + scaling * B A` has rows of other directions and, by a `gain` for each, of other lengths: `gain`
    times that of the row of W. The paper's magnitude is that product. The fields are those of a LoRA.

    Raises:
        ConfigError: A rank, alpha, dropout, site or block that cannot be right.
    """

    rank: int = 16
    alpha: float = 16.0
    scaling: Scaling = "standard"
    dropout: float = 0.0
    sites: tuple[SiteName, ...] = ENCODER_LINEAR_SITES
    blocks: tuple[int, ...] | None = None
    fuses: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        require_low_rank(self.rank, self.alpha, self.scaling, self.dropout)
        require_places("dora", self.sites, LINEAR_SITES, self.blocks)

    @property
    def scale(self) -> float:
        """The number that multiplies `B A`."""
        return scale_of(self.rank, self.alpha, self.scaling)

    def tensors(self, place: SiteShape) -> TensorShapes:
        """The gains, A and B; the latter named as peft names them."""
        return {
            "gain": (place.out_width,),
            "lora_A.weight": (self.rank, place.in_width),
            "lora_B.weight": (place.out_width, self.rank),
        }


@dataclass(frozen=True, kw_only=True)
class Dora:
    """A DoRA to be trained; what may be asked is as of a LoRA.

    Raises:
        ConfigError: Options that cannot be right.
    """

    rank: int = option(16, "LoRA rank")
    alpha: float | None = option(None, "LoRA alpha; scaling is alpha / rank (default: 4 * rank)")
    scaling: Scaling = option("standard", "standard, or rank_stabilized: alpha / sqrt(rank)")
    dropout: float = option(0.0, "LoRA dropout")
    sites: tuple[SiteName, ...] | None = option(None, "sites to act at (default: all of the method's)")
    blocks: tuple[int, ...] | None = option(None, "transformer blocks to act in, from 0 (default: all)")

    def __post_init__(self) -> None:
        self.config(Surroundings())

    def config(self, there: Surroundings) -> DoraConfig:
        """The DoRA that is meant: without `sites`, at all linear layers that the backbone has."""
        return DoraConfig(**vars(Lora(**vars(self)).config(there)))


DORA = Method(
    name="dora",
    config=DoraConfig,
    options=Dora,
    layer=later("adaptkit.layers.dora", "dora_layer"),
    paper="DoRA: Liu et al. 2024, arXiv:2402.09353",
)
