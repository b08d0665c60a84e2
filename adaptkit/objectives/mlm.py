"""Masked language modelling: tokens are hidden and predicted from those around them."""

from dataclasses import dataclass

from adaptkit.later import later
from adaptkit.objectives.objective import Objective
from adaptkit.objectives.vocabulary import FULL_VOCABULARY
from adaptkit.options import Options, option


@dataclass(frozen=True, kw_only=True)
class Mlm(Options):
    """Masked language modelling of an encoder (Devlin et al. 2019, arXiv:1810.04805).

    Raises:
        ConfigError: A number that cannot be right.
    """

    anchor: float = option(20.0, "weight of staying near the frozen sentence vectors (0: plain mlm)", least=0)
    head_warmup: int | None = option(
        None, "first steps that train only the projection (default: a quarter, up to 100)", least=0
    )
    whole_words: bool = option(False, "mask whole words")
    keep_projection: bool = option(False, "keep the projection to tokens with the adapter, for model.fill_mask")
    full_vocabulary: bool = option(False, FULL_VOCABULARY)


MLM = Objective(
    name="mlm",
    title="masked language modelling",
    options=Mlm,
    training=later("adaptkit.training.objectives.mlm", "MaskedTraining"),
    backbone="encoder",
    warmup=lambda asked: asked.head_warmup,
    by_default=True,
)
