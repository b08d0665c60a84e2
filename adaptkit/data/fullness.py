"""How long lines of text are, and whether they are full sentences, in any script."""

from typing import NamedTuple

import regex

from adaptkit.languages import UNSPACED

FEWEST_WORDS = 4
FEWEST_LETTERS = 8
"""Of a full sentence, in a script that puts no space between words."""
FULL = f"{FEWEST_WORDS} words or more, and a mark at the end"

_UNSPACED = regex.compile("[" + "".join(rf"\p{{Script={code}}}" for code in sorted(UNSPACED)) + "]")
# Unicode's sentence terminals, and marks that end a sentence without being such: of an omission, of Greek questions, of
# Tibetan. Thai and Lao sentences end with no mark.
_END = regex.compile(
    r"[\p{Sentence_Terminal}\u2026\u2025\u037e\u0f0d-\u0f12\p{Script=Thai}\p{Script=Laoo}][\p{Pe}\p{Pf}\p{Pi}\"'\s]*\Z"
)


class Fullness(NamedTuple):
    """How many words a line has, and whether it is a full sentence."""

    n_words: int
    is_full: bool


def fullness_of(line: str) -> Fullness:
    """Words, and whether a line ends like a sentence and has four of them, or eight in a script without spaces."""
    letters, words = _counted(line)
    is_long = words >= (FEWEST_LETTERS if letters else FEWEST_WORDS)
    return Fullness(words, is_long and _END.search(line[-16:]) is not None)


def n_words(line: str) -> int:
    """What stands between spaces; where a script puts none between words, each letter counts."""
    return _counted(line)[1]


def _counted(line: str) -> tuple[int, int]:
    """How many letters are of a script without spaces, and words with these among them."""
    letters = 0 if line.isascii() else len(_UNSPACED.findall(line))
    words = line.split()
    return letters, letters + sum(not _UNSPACED.search(word) for word in words) if letters else len(words)
