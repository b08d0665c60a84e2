"""Sentences cut into words, as labelled data has them: punctuation stands by itself."""

from collections.abc import Iterator

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
    return tuple(text[start:end] for start, end in word_places(text))


def word_places(text: str) -> Iterator[tuple[int, int]]:
    """Where these words lie: characters from and to."""
    for word in _WORD.finditer(text):
        if not _is_unspaced(word[0]):
            yield word.span()
            continue
        for letter in _CHARACTER.finditer(word[0]):
            yield word.start() + letter.start(), word.start() + letter.end()


def _is_unspaced(word: str) -> bool:
    return any(script_of(letter) in UNSPACED for letter in word if letter.isalpha())
