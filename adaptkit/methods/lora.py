"""LoRA: what is asked for, what an adapter is, and its row."""

import math
from dataclasses import dataclass
from typing import ClassVar, get_args

from adaptkit.config import ENCODER_LINEAR_SITES, LINEAR_SITES, MAX_ALPHA, Scaling, SiteName, SiteShape
from adaptkit.later import later
from adaptkit.methods.checks import require, require_places, require_width
from adaptkit.methods.method import Method, Surroundings, TensorShapes
from adaptkit.options import option


@dataclass(frozen=True, kw_only=True)
class LoraConfig:
    """Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685): `scaling * B(A(dropout(x)))` added at each site.

    `scaling` is `alpha / rank`, or `alpha / sqrt(rank)` when `rank_stabilized` (Kalajdzievski 2023, arXiv:2312.03732).
    `blocks` limits the adapter to some transformer blocks, counted from 0; None means all.

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
        require_places("lora", self.sites, LINEAR_SITES, self.blocks)

    @property
    def scale(self) -> float:
        """The number that multiplies `B(A(x))`."""
        return scale_of(self.rank, self.alpha, self.scaling)

    def tensors(self, place: SiteShape) -> TensorShapes:
        """A and B, named as peft names them."""
        return {"lora_A.weight": (self.rank, place.in_width), "lora_B.weight": (place.out_width, self.rank)}


def scale_of(rank: int, alpha: float, scaling: Scaling) -> float:
    """The number that multiplies `B(A(x))`."""
    return alpha / (math.sqrt(rank) if scaling == "rank_stabilized" else rank)


def require_low_rank(rank: int, alpha: float, scaling: Scaling, dropout: float) -> None:
    """Let a low-rank term be one that is built and read.

    Raises:
        ConfigError: It is not.
    """
    require_width(rank, "rank")
    require(
        math.isfinite(alpha) and 0 < alpha <= MAX_ALPHA,
        f"alpha lies above 0 and up to {MAX_ALPHA:,.0f}, found {alpha}.",
    )
    require(scaling in get_args(Scaling), f"scaling is one of {get_args(Scaling)}, found {scaling!r}.")
    require(0 <= dropout < 1, f"dropout must lie in [0, 1), found {dropout}.")


@dataclass(frozen=True, kw_only=True)
class Lora:
    """A LoRA to be trained.

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

    def config(self, there: Surroundings) -> LoraConfig:
        """The LoRA that is meant: without `sites`, at all linear layers that the backbone has."""
        return LoraConfig(
            rank=self.rank,
            alpha=4.0 * self.rank if self.alpha is None else self.alpha,
            scaling=self.scaling,
            dropout=self.dropout,
            sites=self.sites or tuple(site for site in LINEAR_SITES if site in there.sites),
            blocks=self.blocks,
        )


LORA = Method(
    name="lora",
    config=LoraConfig,
    options=Lora,
    layer=later("adaptkit.layers.lora", "lora_layer"),
    paper="LoRA: Hu et al. 2021, arXiv:2106.09685",
    is_peft=True,
)
