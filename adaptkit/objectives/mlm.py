"""Masked language modelling: tokens are hidden and predicted from those around them."""

from dataclasses import dataclass

from adaptkit.errors import ConfigError
from adaptkit.later import later
from adaptkit.objectives.objective import Objective
from adaptkit.objectives.ranges import require_weight
from adaptkit.options import option


@dataclass(frozen=True, kw_only=True)
class Mlm:
    """Masked language modelling of an encoder (Devlin et al. 2019, arXiv:1810.04805).

    Raises:
        ConfigError: A number that cannot be right.
    """

    anchor: float = option(20.0, "weight of staying near the frozen sentence vectors (0: plain mlm)")
    head_warmup: int | None = option(
        None, "first steps, which train only the projection (default: a quarter, up to 100)"
    )
    whole_words: bool = option(False, "mask whole words")
    full_vocabulary: bool = option(False, "softmax over the full vocabulary, not the corpus vocabulary")

    def __post_init__(self) -> None:
        require_weight("anchor", self.anchor)
        if self.head_warmup is not None and self.head_warmup < 0:
            raise ConfigError(f"head_warmup must be at least 0, found {self.head_warmup}.")


MLM = Objective(
    name="mlm",
    title="masked language modelling",
    options=Mlm,
    training=later("adaptkit.training.objectives.mlm", "MaskedTraining"),
    backbone="encoder",
    warmup=lambda asked: asked.head_warmup,
    by_default=True,
)
