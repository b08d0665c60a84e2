"""DoRA: what is asked for, what an adapter is, and its row."""

from dataclasses import dataclass
from typing import ClassVar

from adaptkit.config import SiteShape
from adaptkit.later import later
from adaptkit.methods.low_rank import LowRankConfig, LowRankOptions
from adaptkit.methods.method import Method, TensorShapes


@dataclass(frozen=True, kw_only=True)
class DoraConfig(LowRankConfig):
    """Weight-decomposed low-rank adaptation (Liu et al. 2024, arXiv:2402.09353).

    The weight `W + scaling * B A` has rows of other directions and, by a `gain` for each, of other lengths: `gain`
    times that of the row of W. The paper's magnitude is that product.

    Raises:
        ConfigError: As `LowRankConfig`.
    """

    method: ClassVar[str] = "dora"

    def tensors(self, place: SiteShape) -> TensorShapes:
        """The gains, A and B."""
        return {"gain": (place.out_width,), **super().tensors(place)}


@dataclass(frozen=True, kw_only=True)
class Dora(LowRankOptions):
    """A DoRA to be trained; what may be asked is as of a LoRA.

    Raises:
        ConfigError: Options that cannot be right.
    """

    made: ClassVar[type[LowRankConfig]] = DoraConfig


DORA = Method(
    name="dora",
    config=DoraConfig,
    options=Dora,
    layer=later("adaptkit.layers.dora", "dora_layer"),
    paper="DoRA: Liu et al. 2024, arXiv:2402.09353",
)
