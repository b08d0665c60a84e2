"""Held-out sentences that stand among those that are trained on, too: a loss on these says little."""

import unicodedata
from collections.abc import Collection, Iterable

TOLD_SHARE = 0.1


class _Letters(dict[int, int | None]):
    """A table for `str.translate`, found as it is asked: letters, and the marks that are vowels in many scripts."""

    def __missing__(self, code: int) -> int | None:
        self[code] = found = code if unicodedata.category(chr(code))[0] in "LM" else None
        return found


_LETTERS = _Letters()


def repeated_share(texts: Iterable[str], heldout: Collection[int]) -> float:
    """The share of the held-out rows whose letters another row has; digits, case and punctuation are not looked at."""
    held: list[int] = []
    trained: set[int] = set()
    numbers = frozenset(heldout)
    for number, text in enumerate(texts):
        letters = hash(text.casefold().translate(_LETTERS))
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
