"""Next-sentence prediction beside masked language modelling, on text that comes in documents."""

from dataclasses import dataclass

from adaptkit.later import later
from adaptkit.objectives.mlm import Mlm
from adaptkit.objectives.objective import Objective
from adaptkit.options import option


@dataclass(frozen=True, kw_only=True)
class Nsp(Mlm):
    """Masked language modelling with next-sentence prediction (Devlin et al. 2019, arXiv:1810.04805).

    Raises:
        ConfigError: A number that cannot be right.
    """

    next_weight: float = option(
        1.0, "weight of telling next sentences from others, relative to that of masked tokens", least=0
    )


NSP = Objective(
    name="nsp",
    title="next-sentence prediction",
    options=Nsp,
    training=later("adaptkit.training.objectives.nsp", "NextSentenceTraining"),
    paper="next-sentence prediction: Devlin et al. 2019, arXiv:1810.04805",
    backbone="encoder",
)
