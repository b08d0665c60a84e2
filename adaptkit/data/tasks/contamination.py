"""Evaluation texts that stand in the training text, exactly or by a long run of words."""

import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from adaptkit.errors import ConfigError
from adaptkit.languages import UNSPACED, script_of

RUN_CHARACTERS = 12
"""A run in scripts without spaces between words, such as Chinese or Thai, is of so many characters."""

# In Tibetan script a point ends each syllable, which serves as a word here.
_WITHOUT_SPACES = UNSPACED - {"Tibt"}
_SEPARATORS = frozenset("PSZ")
_IGNORED = frozenset({"Cf"})  # joiners inside words, byte order marks

_Units: TypeAlias = Sequence[str]
_Runs: TypeAlias = Mapping[int, Mapping[str, Sequence[int]]]


@dataclass(frozen=True)
class Leak:
    """Which evaluation texts the training text holds.

    Attributes:
        exact: indices of those that are a training text, but for case, punctuation and white space.
        near: indices of others that share a run with a training text.
        texts: how many evaluation texts there are.
        run_words: length of a run in words.

    """

    exact: tuple[int, ...]
    near: tuple[int, ...]
    texts: int
    run_words: int

    def summary(self) -> str:
        """Say it in a sentence."""
        run = f"a run of {self.run_words} words ({RUN_CHARACTERS} characters in scripts without spaces)"
        if not self.exact and not self.near:
            return f"None of the {self.texts:,} evaluation texts is in the training text, or shares {run} with it."
        return (
            f"Of the {self.texts:,} evaluation texts, {len(self.exact):,} are in the training text, "
            f"and {len(self.near):,} more share {run} with it."
        )


def leaked(training: Iterable[str], evaluation: Sequence[str], *, run_words: int = 8) -> Leak:
    """Find the evaluation texts that stand in the training text; each training text is looked at once and let go.

    Case, punctuation, symbols and white space do not count. An evaluation text shorter than a run is found where all
    of it stands within a training text; one without a word never is. A run does not go over two training texts.

    Args:
        training: the training texts, such as `Corpus.lines()`.
        evaluation: the texts that a score will rest on.
        run_words: length of a run in words.

    Raises:
        ConfigError: `run_words` below 1, or a string in place of several.

    """
    if run_words < 1 or isinstance(training, str) or isinstance(evaluation, str):
        raise ConfigError("give run_words of at least 1, and lists of texts for training and evaluation.")
    whole, words, characters = _indexed(evaluation, run_words)
    exact: set[int] = set()
    shared: set[int] = set()
    for text in training:
        units = _words(text)
        exact.update(whole.get(" ".join(units), ()))
        shared.update(_matches(words, units, " "))
        if characters and (letters := _characters(units)):
            shared.update(_matches(characters, letters, ""))
    return Leak(tuple(sorted(exact)), tuple(sorted(shared - exact)), len(evaluation), run_words)


def _indexed(evaluation: Sequence[str], run_words: int) -> tuple[Mapping[str, Sequence[int]], _Runs, _Runs]:
    """Index the evaluation texts: as a whole, by runs of words, and by runs of characters."""
    whole: dict[str, list[int]] = defaultdict(list)
    words: dict[int, dict[str, list[int]]] = {}
    characters: dict[int, dict[str, list[int]]] = {}
    for index, text in enumerate(evaluation):
        units = _words(text)
        if not units:
            continue
        whole[" ".join(units)].append(index)
        letters = _characters(units)
        if letters:
            _add_runs(characters, index, letters, RUN_CHARACTERS, "")
        else:
            _add_runs(words, index, units, run_words, " ")
    return whole, words, characters


def _add_runs(index: dict[int, dict[str, list[int]]], text: int, units: _Units, length: int, joint: str) -> None:
    length = min(length, len(units))
    runs = index.setdefault(length, {})
    for run in set(_runs(units, length, joint)):
        runs.setdefault(run, []).append(text)


def _matches(index: _Runs, units: _Units, joint: str) -> Iterator[int]:
    for length, runs in index.items():
        for run in _runs(units, length, joint):
            yield from runs.get(run, ())


def _runs(units: _Units, length: int, joint: str) -> Iterator[str]:
    return (joint.join(units[start : start + length]) for start in range(len(units) - length + 1))


def _words(text: str) -> _Units:
    return unicodedata.normalize("NFKC", text).casefold().translate(_table()).split()


def _characters(words: _Units) -> str:
    """Give the letters without spaces if at least half of them are in a script without spaces, else nothing."""
    letters = "".join(words)
    if letters.isascii():
        return ""
    unspaced = sum(script_of(letter) in _WITHOUT_SPACES for letter in letters)
    return letters if 2 * unspaced >= len(letters) else ""


@cache
def _table() -> Mapping[int, str | None]:
    """Give what separates words, to be replaced by a space, and what is to be left out."""
    table: dict[int, str | None] = {}
    for code in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(code))
        if category in _IGNORED:
            table[code] = None
        elif category[0] in _SEPARATORS or category == "Cc":
            table[code] = " "
    return table
