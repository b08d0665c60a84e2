"""Distillation: sentences are pulled towards the frozen backbone's vectors of their translations."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from adaptkit.later import later
from adaptkit.objectives.objective import Objective
from adaptkit.options import Options, option

Relation: TypeAlias = Literal["similarities", "distances"]
Anchored: TypeAlias = Literal["all", "shared"]


@dataclass(frozen=True, kw_only=True)
class Distill(Options):
    """Distillation from parallel text (after Reimers and Gurevych 2020, arXiv:2004.09813).

    Raises:
        ConfigError: A share that does not lie between 0 and 1, or a weight below 0.
    """

    source_share: float = option(
        0.3, "share of translations to train on as well, each pulled towards its own vector", least=0, most=1
    )
    inner_weight: float = option(0.5, "weight of the vectors at a third and two thirds of the depth (0: none)", least=0)
    pair_share: float = option(0.5, "pairs of sentences to train on, for each sentence of the text", least=0, most=1)
    token_anchor: float = option(
        0.1, "weight of keeping tokens where the frozen backbone has them (0: off), 1 for translations", least=0
    )
    anchor_share: float = option(
        1.0,
        "share of a batch's rows whose tokens are anchored, weighted up in turn: fewer rows train faster",
        above=0,
        most=1,
    )
    anchor_on: Anchored = option(
        "all", "tokens of sentences that are anchored: all, or shared: of words that the translation has too"
    )
    relation_weight: float = option(
        0.0, "weight of keeping texts as near to each other as their targets are (0: none)", least=0
    )
    relation: Relation = option("similarities", "how that nearness is measured: similarities or distances")
    contrast_weight: float = option(
        0.0, "weight of telling a text's target from the others of its batch (0: none), by InfoNCE", least=0
    )
    similarity_temperature: float = option(0.05, "temperature of similarities and of the contrast", above=0)


DISTILL = Objective(
    name="distill",
    title="distillation",
    options=Distill,
    training=later("adaptkit.training.objectives.distill", "DistillTraining"),
    epochs=6,
    most_steps=900,
    learning_rate=2e-3,
    paper="distillation from parallel text: Reimers and Gurevych 2020, arXiv:2004.09813",
    needs_translations=True,
    by_default=True,
)
