"""Distillation: sentences are drawn to the frozen backbone's vectors of their translations."""

from dataclasses import dataclass

from adaptkit.errors import ConfigError
from adaptkit.later import later
from adaptkit.objectives.objective import Objective
from adaptkit.objectives.ranges import require_share, require_weight
from adaptkit.options import option
from adaptkit.terminal.asking import as_typed


@dataclass(frozen=True, kw_only=True)
class Distill:
    """Distillation from parallel text (after Reimers and Gurevych 2020, arXiv:2004.09813).

    Raises:
        ConfigError: A share that does not lie between 0 and 1, or a weight below 0.
    """

    source_share: float = option(0.3, "share of translations that train too, drawn to their own vectors")
    inner_weight: float = option(0.5, "weight of the vectors at a third and two thirds of the depth (0: none)")
    pair_share: float = option(0.5, "pairs of sentences that train too, for each sentence of the text")
    token_anchor: float = option(
        0.5, "weight of keeping tokens where the frozen backbone has them (0: off), 1 for translations"
    )
    anchor_share: float = option(
        1.0, "share of a batch's rows whose tokens are anchored, with so much more weight: fewer train faster"
    )

    def __post_init__(self) -> None:
        require_share("source_share", self.source_share)
        require_share("pair_share", self.pair_share)
        if not 0 < self.anchor_share <= 1:
            raise ConfigError(
                f"anchor_share lies above 0 and up to 1, found {self.anchor_share}; without anchors: "
                f"{as_typed(token_anchor=0)}."
            )
        require_weight("inner_weight", self.inner_weight)
        require_weight("token_anchor", self.token_anchor)


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
