"""CORAL: features of two domains shall have the same covariance."""

from dataclasses import dataclass

from adaptkit.later import later
from adaptkit.options import option
from adaptkit.regularisers.domain_text import DomainText
from adaptkit.regularisers.regulariser import Regulariser


@dataclass(frozen=True, kw_only=True)
class Coral(DomainText):
    """Correlation alignment (Sun and Saenko 2016, arXiv:1607.01719) of the labelled domain and an unlabelled one.

    Raises:
        ConfigError: A weight below 0, or no text.
    """

    weight: float = option(
        1.0,
        "weight of CORAL: features of the labelled domain and of the unlabelled one get one covariance (default: off)",
        asked_as="coral",
        least=0,
    )


CORAL = Regulariser(
    name="coral",
    title="CORAL",
    options=Coral,
    training=later("adaptkit.training.regularisers.coral", "CoralTraining"),
    cost="as many rows of the target domain are read with every batch, which doubles the cost of a step",
    paper="CORAL: Sun and Saenko 2016, arXiv:1607.01719",
    needs_layers=True,
)
