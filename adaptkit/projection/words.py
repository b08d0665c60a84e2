"""Sentences cut into words, as labelled data has them: punctuation stands by itself."""

from functools import cache
from typing import Any

from adaptkit.languages import UNSPACED, script_of


def words_of(text: str) -> tuple[str, ...]:
    """The words of a sentence in any script.

    What joins letters (an apostrophe, a hyphen, a full stop in U.N. or 3.5) is inside of words. A script that puts no
    space between words, such as Thai, is cut into its written characters, each with its marks.
    """
    found: list[str] = []
    for word in _word().findall(text):
        found += _characters().findall(word) if _is_unspaced(word) else [word]
    return tuple(found)


@cache
def _word() -> Any:  # noqa: ANN401 - regex has no types
    import regex

    letters = r"[\p{L}\p{M}\p{N}]+"
    return regex.compile(rf"{letters}(?:['’ʼ‑\-.,&]{letters})*|[^\s\p{{L}}\p{{M}}\p{{N}}]")


@cache
def _characters() -> Any:  # noqa: ANN401
    import regex

    return regex.compile(r"\X")


def _is_unspaced(word: str) -> bool:
    return any(script_of(letter) in UNSPACED for letter in word if letter.isalpha())
