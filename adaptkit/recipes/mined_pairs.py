"""Pairs of sentences that were found in two texts, with how sure each is."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, overload

from adaptkit.format.folder import whole_file
from adaptkit.terminal.amounts import counted

_SHOWN = 3
_MOST_SIGNS = 90


class MinedPair(NamedTuple):
    """A sentence, what may be its translation, and the margin of the two (1: no nearer than their neighbours)."""

    translation: str
    sentence: str
    margin: float


@dataclass(frozen=True)
class MinedPairs(Sequence[tuple[str, str]]):
    """Pairs `(translation, sentence)` above a threshold, the surest first; they can be given as `parallel=`.

    Attributes:
        candidates: all pairs that were looked at, those below the threshold too.
        threshold: the margin that a pair must have.
        n_sentences: sentences of the text in the language, each counted once.
        n_translations: sentences of the other text.
        language: the language of the text, a canonical tag.
        source_language: that of the other text.
        texts: in words, where both are from.
    """

    candidates: tuple[MinedPair, ...]
    threshold: float
    n_sentences: int
    n_translations: int
    language: str
    source_language: str
    texts: str

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, place: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, place: slice) -> list[tuple[str, str]]: ...
    def __getitem__(self, place: int | slice) -> tuple[str, str] | list[tuple[str, str]]:
        """One pair, or several."""
        return self._kept[place]

    @cached_property
    def _kept(self) -> list[tuple[str, str]]:
        return [(pair.translation, pair.sentence) for pair in self.candidates if pair.margin >= self.threshold]

    @property
    def description(self) -> str:
        """What it is, for cards and messages."""
        return f"{counted(len(self), 'pair')} mined from {self.texts}, margin {self.threshold:g} and more"

    def above(self, threshold: float) -> "MinedPairs":
        """The same at another threshold; nothing is mined again."""
        return replace(self, threshold=threshold)

    def sample(self, n: int = _SHOWN) -> list[MinedPair]:
        """So many of the pairs, at even distances from the surest to the last."""
        kept = self.candidates[: len(self)]
        n = min(n, len(kept))
        return [kept[place * (len(kept) - 1) // max(1, n - 1)] for place in range(n)]

    def left_out(self, n: int = _SHOWN) -> list[MinedPair]:
        """The first of those below the threshold."""
        return list(self.candidates[len(self) : len(self) + n])

    def __str__(self) -> str:
        """Counts, the threshold, and a sample by which to judge it."""
        lines = [
            f"{self.n_sentences:,} sentences in {self.language}, {self.n_translations:,} in {self.source_language}; "
            f"{len(self):,} of {len(self.candidates):,} candidates have a margin of {self.threshold:g} and more",
            *(f"taken: {_shown(pair)}" for pair in self.sample()),
            *(f"left out: {_shown(pair)}" for pair in self.left_out()),
        ]
        return "\n".join(lines)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the pairs as lines with tabs under a header of languages, as `parallel=` reads them.

        Raises:
            CannotWrite: As on a full disk.
        """
        lines = [(self.source_language, self.language), *self]
        text = "".join("\t".join(" ".join(cell.split()) for cell in cells) + "\n" for cells in lines)
        with whole_file(Path(path)) as partial:
            partial.write_text(text, encoding="utf-8")


def _shown(pair: MinedPair) -> str:
    return f"{pair.margin:.3f}  {_short(pair.sentence)}  |  {_short(pair.translation)}"


def _short(text: str) -> str:
    return text if len(text) <= _MOST_SIGNS else f"{text[: _MOST_SIGNS - 1]}…"
