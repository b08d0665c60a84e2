"""Domain-adversarial training: a discriminator shall not tell the features of two domains apart."""

from dataclasses import dataclass

from adaptkit.later import later
from adaptkit.options import option
from adaptkit.regularisers.domain_text import DomainText
from adaptkit.regularisers.regulariser import Regulariser


@dataclass(frozen=True, kw_only=True)
class Dann(DomainText):
    """Domain-adversarial training (Ganin et al. 2016, arXiv:1505.07818) of the labelled domain and an unlabelled one.

    The weight is that of the reversed gradient, the paper's lambda, and the same in all steps.

    Raises:
        ConfigError: A weight below 0, or no text.
    """

    weight: float = option(
        0.1,
        "weight of domain-adversarial training (DANN): a discriminator gets the features of the labelled domain and of "
        "the unlabelled one to tell apart, and they learn to deceive it (default: off)",
        asked_as="dann",
        least=0,
    )


DANN = Regulariser(
    name="dann",
    title="domain-adversarial training",
    options=Dann,
    training=later("adaptkit.training.regularisers.dann", "DannTraining"),
    cost="as many rows of the target domain are read with every batch, which doubles the cost of a step",
    paper="domain-adversarial training: Ganin et al. 2016, arXiv:1505.07818",
    needs_layers=True,
)
