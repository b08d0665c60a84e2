"""Sentences cut into words, as labelled data has them: punctuation stands by itself."""

import regex

from adaptkit.languages import UNSPACED, script_of

_LETTERS = r"[\p{L}\p{M}\p{N}]+"
_WORD = regex.compile(rf"{_LETTERS}(?:['’ʼ‑\-.,&]{_LETTERS})*|[^\s\p{{L}}\p{{M}}\p{{N}}]")
_CHARACTER = regex.compile(r"\X")


def words_of(text: str) -> tuple[str, ...]:
    """The words of a sentence in any script.

    What joins letters (an apostrophe, a hyphen, a full stop in U.N. or 3.5) is inside of words. A script that puts no
    space between words, such as Thai, is cut into its written characters, each with its marks.
    """
    found: list[str] = []
    for word in _WORD.findall(text):
        found += _CHARACTER.findall(word) if _is_unspaced(word) else [word]
    return tuple(found)


def _is_unspaced(word: str) -> bool:
    return any(script_of(letter) in UNSPACED for letter in word if letter.isalpha())
