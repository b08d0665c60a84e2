"""Feature distillation: the states that a head reads stay near those of the frozen stack below."""

from dataclasses import dataclass

from adaptkit.later import later
from adaptkit.options import option
from adaptkit.regularisers.regulariser import Regulariser, Weighed


@dataclass(frozen=True, kw_only=True)
class FeatureDistillation(Weighed):
    """A penalty on how far features move while a task trains (after Li et al. 2019, arXiv:1901.09229).

    There is no attention over features here. The frozen backbone with the frozen adapters below is its own teacher.

    Raises:
        ConfigError: A weight below 0.
    """

    weight: float = option(
        0.1,
        "weight of feature distillation: the states that the head reads stay near those of the frozen stack below "
        "(default: off)",
        asked_as="feature_distillation",
        least=0,
    )


FEATURE_DISTILLATION = Regulariser(
    name="feature_distillation",
    title="feature distillation",
    options=FeatureDistillation,
    training=later("adaptkit.training.regularisers.feature_distillation", "FeatureDistillationTraining"),
    cost="the frozen stack reads every batch too, for about a third more time",
    paper="feature distillation: after Li et al. 2019, arXiv:1901.09229",
    needs_layers=True,
)
