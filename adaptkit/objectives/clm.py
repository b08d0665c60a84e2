"""Causal language modelling: each token is predicted from those before it."""

from dataclasses import dataclass

from adaptkit.later import later
from adaptkit.objectives.objective import Objective
from adaptkit.options import Options, option


@dataclass(frozen=True, kw_only=True)
class Clm(Options):
    """Causal language modelling of a decoder."""

    full_vocabulary: bool = option(False, "softmax over the full vocabulary, not the corpus vocabulary")


CLM = Objective(
    name="clm",
    title="causal language modelling",
    options=Clm,
    training=later("adaptkit.training.objectives.clm", "CausalTraining"),
    backbone="decoder",
    by_default=True,
)
