"""Causal language modelling: each token is predicted from those before it."""

from dataclasses import dataclass

from adaptkit.later import later
from adaptkit.objectives.objective import Objective
from adaptkit.objectives.vocabulary import FULL_UP_TO, FULL_VOCABULARY
from adaptkit.options import Options, option


@dataclass(frozen=True, kw_only=True)
class Clm(Options):
    """Causal language modelling of a decoder.

    What a decoder writes is chosen from all of its tokens, so the loss runs over all of them as long as they are few
    enough to afford: `full_vocabulary` None is True up to 100,000 tokens.
    """

    full_vocabulary: bool | None = option(None, FULL_VOCABULARY)

    def decided(self, n_tokens: int) -> bool:
        """Whether the softmax runs over all tokens of a vocabulary of this size."""
        return n_tokens <= FULL_UP_TO if self.full_vocabulary is None else self.full_vocabulary


CLM = Objective(
    name="clm",
    title="causal language modelling",
    options=Clm,
    training=later("adaptkit.training.objectives.clm", "CausalTraining"),
    learning_rate=1e-3,
    backbone="decoder",
    by_default=True,
)
