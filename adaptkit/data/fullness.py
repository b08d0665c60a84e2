"""How long lines of text are, and whether they are full sentences, in any script."""

import regex

from adaptkit.languages import UNSPACED

FEWEST_WORDS = 4
FEWEST_LETTERS = 8
"""Of a full sentence, in a script that puts no space between words."""

_UNSPACED = regex.compile("[" + "".join(rf"\p{{Script={code}}}" for code in sorted(UNSPACED)) + "]")
# Unicode's sentence terminals, and marks that end a sentence without being such: of an omission, of Greek questions, of
# Tibetan. Thai and Lao sentences end with no mark.
_END = regex.compile(
    r"[\p{Sentence_Terminal}\u2026\u2025\u037e\u0f0d-\u0f12\p{Script=Thai}\p{Script=Laoo}][\p{Pe}\p{Pf}\p{Pi}\"'\s]*\Z"
)


def n_words(line: str) -> int:
    """What stands between spaces; where a script puts none between words, each letter counts."""
    letters = _n_unspaced(line)
    return letters + sum(1 for word in line.split() if not letters or not _UNSPACED.search(word))


def is_full_sentence(line: str) -> bool:
    """Whether a line ends like a sentence and has at least four words, or eight letters in a script without spaces."""
    if _END.search(line[-16:]) is None:
        return False
    return n_words(line) >= (FEWEST_LETTERS if _n_unspaced(line) else FEWEST_WORDS)


def _n_unspaced(line: str) -> int:
    return 0 if line.isascii() else len(_UNSPACED.findall(line))
