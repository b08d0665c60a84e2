"""R-Drop: what two passes under dropout answer shall be the same."""

from dataclasses import dataclass

from adaptkit.later import later
from adaptkit.options import option
from adaptkit.regularisers.regulariser import Regulariser, Weighed


@dataclass(frozen=True, kw_only=True)
class RDrop(Weighed):
    """R-Drop (Liang et al. 2021, arXiv:2106.14448); the passes differ by the dropout of the head and of the layers.

    Raises:
        ConfigError: A weight below 0.
    """

    weight: float = option(
        1.0,
        "weight of R-Drop: what two passes under dropout answer is pulled together, at twice the cost (default: off)",
        asked_as="r_drop",
        least=0,
    )


R_DROP = Regulariser(
    name="r_drop",
    title="R-Drop",
    options=RDrop,
    training=later("adaptkit.training.regularisers.r_drop", "RDropTraining"),
    cost="every batch is computed twice, which doubles the cost of a step",
    paper="R-Drop: Liang et al. 2021, arXiv:2106.14448",
    needs_classes=True,
)
