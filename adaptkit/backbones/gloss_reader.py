"""Texts read with their gloss behind them: the same text, with the words that a glossary knows translated."""

from collections.abc import Callable, Sequence
from typing import Self, TypeAlias

from transformers import BatchEncoding

from adaptkit.backbones.text_reader import TextReader
from adaptkit.data.read_words import PlacedPiece

Gloss: TypeAlias = Callable[[str], str]
"""The gloss of a text; empty where nothing of it is known."""
_LETTERS_A_TOKEN = 16
"""A text of more letters for each token that is read leaves no room for a gloss, which need not be made then."""


class GlossReader(TextReader):
    """As another reader reads, with a gloss behind each text, and behind each of a pair.

    Answers lie in the texts themselves: tokens of a gloss have no place there, and the windows of a long context have
    no gloss.
    """

    def __init__(self, plain: TextReader, gloss: Gloss) -> None:
        self.name, self.text_prefix, self.tokenizer = plain.name, plain.text_prefix, plain.tokenizer
        self.gloss = gloss
        self._plain = plain

    @property
    def max_length(self) -> int:
        """The most tokens in one input, special tokens counted."""
        return self._plain.max_length

    def behind(self, text_prefix: str) -> Self:
        """The same, with another text before every text."""
        other = super().behind(text_prefix)
        other._plain = self._plain.behind(text_prefix)
        return other

    def glossed(self, text: str) -> str:
        """A text with its gloss behind it."""
        gloss = self._gloss_of(text)
        return f"{text} {gloss}" if gloss else text

    def _gloss_of(self, text: str) -> str:
        """The gloss of as much of a text as may have one that is read."""
        return self.gloss(text[: _LETTERS_A_TOKEN * self.max_length])

    def tokenize_cutting(
        self, pairs: Sequence[tuple[str, str | None]], *, max_length: int | None = None
    ) -> list[tuple[list[int], bool]]:
        """As of every reader. A gloss is cut before its text; where two texts leave no room, they are read without."""
        rows = super().tokenize_cutting(pairs, max_length=max_length)
        full = [number for number, (_, cut) in enumerate(rows) if cut]
        plain = self._plain.tokenize_cutting([pairs[number] for number in full], max_length=max_length)
        for number, (_, cut) in zip(full, plain, strict=True):
            rows[number] = (rows[number][0], cut)
        return rows

    def tokenize_words(
        self, sentences: Sequence[Sequence[str]], *, max_length: int | None = None
    ) -> list[tuple[list[int], list[int]]]:
        """As of every reader; words of a gloss have no place."""
        rows = super().tokenize_words(sentences, max_length=max_length)
        return [(ids, places[: len(words)]) for words, (ids, places) in zip(sentences, rows, strict=True)]

    def places_of_pairs(
        self, pairs: Sequence[tuple[str, str | None]], *, max_length: int | None = None
    ) -> list[list[PlacedPiece | None]]:
        """As of every reader; tokens of a gloss have no place."""
        rows = super().places_of_pairs(pairs, max_length=max_length)
        ends = [(len(first), len(second or "")) for first, second in pairs]
        return [
            [place if place is not None and place.place[0] < end[place.side] else None for place in row]
            for end, row in zip(ends, rows, strict=True)
        ]

    def places_of_words(self, sentence: Sequence[str], *, max_length: int | None = None) -> list[int | None]:
        """As of every reader; tokens of a gloss have no place."""
        places = super().places_of_words(sentence, max_length=max_length)
        return [number if number is not None and number < len(sentence) else None for number in places]

    def _encoded_pairs(self, pairs: Sequence[tuple[str, str | None]], max_length: int | None) -> BatchEncoding:
        read = [(self.glossed(first), None if second is None else self.glossed(second)) for first, second in pairs]
        encoded = super()._encoded_pairs(read, max_length)
        cut = self._cut(encoded, max_length)
        full = [number for number, (_, second) in enumerate(pairs) if second is not None and cut[number]]
        if not full:
            return encoded
        for number in full:
            read[number] = pairs[number]
        return super()._encoded_pairs(read, max_length)

    def _encoded_words(self, sentences: Sequence[Sequence[str]], max_length: int | None) -> tuple[BatchEncoding, int]:
        read = [[*words, *self._gloss_of(" ".join(words)).split()] for words in sentences]
        return super()._encoded_words(read, max_length)
