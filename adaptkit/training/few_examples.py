"""What a handful of labelled examples is worth, said before and after they are trained on."""

from adaptkit.terminal.amounts import counted
from adaptkit.terminal.asking import as_typed

FEW = 20
_A_START = 200
"""Of two labels, 50 reviews were nearly worth 200 (`benchmarks.run few_labels`); tags and pairs of texts need more."""


def few_examples(n_examples: int, n_heldout: int, *, given: bool = False) -> str | None:
    """What so few examples are worth, of which so many are held out, or were `given` beside them; None: enough."""
    found = counted(n_examples, "labelled example")
    if n_heldout == 0 and n_examples == 1:
        return (
            "there is one labelled example, and no other to hold out: the losses are of that example itself, which is "
            "soon learned by heart, and say nothing of other texts"
        )
    if n_heldout == 0:
        why = (
            f"{found} are too few to hold one out"
            if n_examples < FEW
            else f"each of {found} is the only one with one of its labels or in its language, so that none can be held "
            "out"
        )
        return (
            f"{why}: the losses are of the examples themselves, which are soon learned by heart, and say nothing of "
            "other texts"
        )
    if n_examples >= FEW:
        return None
    return f"{found} are very few" + (
        "" if given else f", and {n_heldout} held out of them says next to nothing of other texts"
    )


def more_examples() -> str:
    """What to do about it."""
    return f"Give more ({_A_START} are a good start), or others to measure on ({as_typed(dev=...)})"
