"""Glossing: sentences are pulled to the frozen backbone's vectors of what a dictionary makes of them."""

from dataclasses import dataclass

from adaptkit.later import later
from adaptkit.objectives.distill import Distill
from adaptkit.objectives.objective import Objective
from adaptkit.options import option


@dataclass(frozen=True, kw_only=True)
class Gloss(Distill):
    """Distillation from text without translations, in which a dictionary stands for the translator.

    Copies mix the languages of a sentence (after Qin et al. 2020, CoSDA-ML, arXiv:2006.06402).

    Raises:
        ConfigError: A share that does not lie between 0 and 1, or a weight below 0.
    """

    copy_share: float = option(
        0.5, "copies with translated or omitted words to train on, for each sentence of the text", least=0, most=1
    )
    switch_rate: float = option(0.5, "share of a copy's known words that are translated", least=0, most=1)
    word_dropout: float = option(0.1, "share of a copy's words that are omitted", least=0, most=1)
    entry_share: float = option(0.0, "dictionary entries to train on, for each sentence of the text", least=0, most=1)
    mlm_weight: float = option(0.0, "weight of predicting masked tokens as well (0: nothing is masked)", least=0)


GLOSS = Objective(
    name="gloss",
    title="glossing",
    options=Gloss,
    training=later("adaptkit.training.objectives.gloss", "GlossTraining"),
    epochs=6,
    most_steps=900,
    learning_rate=2e-3,
    paper="distillation from parallel text: Reimers and Gurevych 2020, arXiv:2004.09813; mixed languages: Qin et al. "
    "2020, arXiv:2006.06402",
    needs_lexicon=True,
    by_default=True,
)
