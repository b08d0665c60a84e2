"""What is told of the examples that are held out to measure on."""

from collections.abc import Sequence

from adaptkit.data.tasks import Example
from adaptkit.labelled import texts_of
from adaptkit.terminal.amounts import counted
from adaptkit.terminal.asking import as_typed


def measured_on(n_given: int, n_kept: int, losses: Sequence[str]) -> list[str]:
    """How many of the examples given can be measured on, and what of them is lost; nothing where none was given."""
    if not n_given:
        return []
    without = n_given - n_kept
    left_out = f" ({without:,} more left out: nothing in them can be measured)" if without else ""
    return [
        f"{counted(n_kept, 'other example')} {'is' if n_kept == 1 else 'are'} held out to measure on{left_out}",
        *(f"of {as_typed(dev=...)}, {loss}" for loss in losses),
    ]


def held_out_together(n_copies: int) -> list[str]:
    """What is done with so many examples that are translations of others; nothing where there are none."""
    if not n_copies:
        return []
    return [
        f"{counted(n_copies, 'example')} of another language {'has' if n_copies == 1 else 'have'} the labels of others "
        "in their order, as translations have: both are held out, or neither"
    ]


def trained_on_too(dev: Sequence[Example], examples: Sequence[Example]) -> str | None:
    """How many of the examples to measure on have the texts of one that is trained on; None where none has."""
    trained = {tuple(texts_of(example)) for example in examples}
    both = sum(tuple(texts_of(example)) in trained for example in dev)
    if not both:
        return None
    return (
        f"{both:,} of the {len(dev):,} examples of {as_typed(dev=...)} {'is' if both == 1 else 'are'} also in "
        f"{as_typed(data=...)}: what is trained on is known by heart, so the held-out losses and scores are better "
        "than those of other texts. Leave them out of one of the two"
    )
