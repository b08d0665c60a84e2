"""Held-out sentences that stand among those that are trained on, too: a loss on these says little."""

from collections.abc import Collection, Iterable

TOLD_SHARE = 0.1


def repeated_share(texts: Iterable[str], heldout: Collection[int]) -> float:
    """The share of the held-out rows whose letters another row has; digits, case and punctuation are not looked at."""
    held: list[int] = []
    trained: set[int] = set()
    numbers = frozenset(heldout)
    for number, text in enumerate(texts):
        letters = hash("".join(sign for sign in text.casefold() if sign.isalpha()))
        if number in numbers:
            held.append(letters)
        else:
            trained.add(letters)
    return sum(letters in trained for letters in held) / max(1, len(held))


def repeats_in_words(share: float) -> str | None:
    """What a share of such rows means for the held-out loss; None where it is small."""
    if share < TOLD_SHARE:
        return None
    return (
        f"{share:.0%} of the held-out sentences are also trained on, but for digits, case and punctuation, so that the "
        "held-out loss tells little of new text: remove lines that repeat others"
    )
