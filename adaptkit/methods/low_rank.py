"""What methods with a low-rank term have alike: what is asked for, and what an adapter is."""

import math
from dataclasses import dataclass
from typing import ClassVar, get_args

from adaptkit.config import ENCODER_LINEAR_SITES, LINEAR_SITES, MAX_ALPHA, MAX_RANK, Scaling, SiteName, SiteShape
from adaptkit.methods.checks import require, require_places, require_width
from adaptkit.methods.method import MethodOptions, Surroundings, TensorShapes
from adaptkit.options import option


@dataclass(frozen=True, kw_only=True)
class LowRankConfig:
    """The fields of a term `scaling * B A`; a subclass names its `method`, and says what it does with the term.

    `scaling` is `alpha / rank`, or `alpha / sqrt(rank)` when `rank_stabilized` (Kalajdzievski 2023, arXiv:2312.03732).
    `blocks` limits the adapter to some transformer blocks, counted from 0; None means all.

    Raises:
        ConfigError: A rank, alpha, dropout, site or block that cannot be right.
    """

    method: ClassVar[str]
    fuses: ClassVar[tuple[str, ...]] = ()

    rank: int = 16
    alpha: float = 16.0
    scaling: Scaling = "standard"
    dropout: float = 0.0
    sites: tuple[SiteName, ...] = ENCODER_LINEAR_SITES
    blocks: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        require_width(self.rank, "rank")
        require(
            math.isfinite(self.alpha) and 0 < self.alpha <= MAX_ALPHA,
            f"alpha must be above 0 and at most {MAX_ALPHA:,.0f}, found {self.alpha}.",
        )
        require(self.scaling in get_args(Scaling), f"scaling is one of {get_args(Scaling)}, found {self.scaling!r}.")
        require(0 <= self.dropout < 1, f"dropout must lie in [0, 1), found {self.dropout}.")
        require_places(self.method, self.sites, LINEAR_SITES, self.blocks)

    @property
    def scale(self) -> float:
        """The number that multiplies `B A`."""
        return self.alpha / (math.sqrt(self.rank) if self.scaling == "rank_stabilized" else self.rank)

    def tensors(self, place: SiteShape) -> TensorShapes:
        """A and B, named as peft names them."""
        return {"lora_A.weight": (self.rank, place.in_width), "lora_B.weight": (place.out_width, self.rank)}


@dataclass(frozen=True, kw_only=True)
class LowRankOptions(MethodOptions):
    """What is asked of a term; a subclass says which config is made of it.

    Raises:
        ConfigError: Options that cannot be right.
    """

    rank: int = option(16, "LoRA rank", least=1, most=MAX_RANK)
    alpha: float | None = option(
        None, "LoRA alpha; scaling is alpha / rank (default: 4 * rank)", above=0, most=MAX_ALPHA
    )
    scaling: Scaling = option("standard", "standard, or rank_stabilized: alpha / sqrt(rank)")
    dropout: float = option(0.0, "LoRA dropout", least=0, below=1)
    sites: tuple[SiteName, ...] | None = option(None, "sites to act at (default: all of the method's)")
    blocks: tuple[int, ...] | None = option(None, "transformer blocks to act in, from 0 (default: all)")

    made: ClassVar[type[LowRankConfig]]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.config(Surroundings())

    def config(self, there: Surroundings) -> LowRankConfig:
        """The adapter that is meant: without `sites`, at all linear layers that the backbone has."""
        return self.made(
            rank=self.rank,
            alpha=4.0 * self.rank if self.alpha is None else self.alpha,
            scaling=self.scaling,
            dropout=self.dropout,
            sites=self.sites or tuple(site for site in LINEAR_SITES if site in there.sites),
            blocks=self.blocks,
        )
