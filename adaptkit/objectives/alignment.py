"""Word alignment: which words of a text go together with which of its translations."""

from dataclasses import dataclass

from adaptkit.config import MAX_GLOSSARY
from adaptkit.later import later
from adaptkit.objectives.objective import Objective
from adaptkit.options import Options, option


@dataclass(frozen=True, kw_only=True)
class Alignment(Options):
    """Words of sentences, aligned with those of their translations by expectation maximisation.

    Raises:
        ConfigError: A number that cannot be right.
    """

    least_score: float = option(
        0.1,
        "least score of a word and its translation: 1 is always and only together, 0 is never",
        least=0,
        most=1,
    )
    most_words: int = option(
        MAX_GLOSSARY, "words that are learned at most: the surest ones", least=1, most=MAX_GLOSSARY
    )


ALIGNMENT = Objective(
    name="alignment",
    title="word alignment",
    options=Alignment,
    training=later("adaptkit.training.objectives.alignment", "AlignmentTraining"),
    epochs=1,
    most_steps=100_000,
    paper="word alignment: Brown et al. 1993, aclanthology.org/J93-2003",
    needs_translations=True,
    backbone="encoder",
    closed_form=True,
    idle=("max_steps", "learning_rate", "gradient_checkpointing", "evaluate_every", "patience", "least_gain"),
    enough="a glossary is learned from some thousand sentences with translations",
    heldout="distance of sentence vectors from those of their translations",
    run=later("adaptkit.training.alignment_run", "AlignmentRun"),
)
