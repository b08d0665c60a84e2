"""The words of texts as a tokenizer has read them, and which of its pieces make each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from adaptkit.data.words import word_places

Place: TypeAlias = tuple[int, int]
"""Characters of a text, from and to."""


@dataclass(frozen=True)
class ReadWord:
    """A word; `side` numbers the text that it is of, `start` and `end` are its characters there."""

    text: str
    side: int
    start: int
    end: int


@dataclass(frozen=True)
class ReadWords:
    """Words of an example's texts that were read, in their order, and for each piece of each row its word's number.

    A special token, and what stands before every text, is of no word. A word that several rows read (a prompt before
    each of its choices) is one.
    """

    texts: tuple[str, ...]
    words: tuple[ReadWord, ...]
    of_pieces: tuple[tuple[int | None, ...], ...]


@dataclass(frozen=True)
class PlacedPiece:
    """A piece of a text: the number of that text, and its characters there."""

    side: int
    place: Place


def words_read(texts: Sequence[str], rows: Sequence[Sequence[PlacedPiece | None]]) -> ReadWords:
    """The words that rows of pieces were read of. Words that one piece covers together are one; None is of no text."""
    words: list[ReadWord] = []
    numbers: dict[PlacedPiece, int] = {}
    for side, text in enumerate(texts):
        pieces = sorted({p.place for row in rows for p in row if p is not None and p.side == side})
        for covered, (start, end) in _grouped(text, pieces):
            numbers |= {PlacedPiece(side, place): len(words) for place in covered}
            words.append(ReadWord(text[start:end], side, start, end))
    of_pieces = tuple(tuple(None if p is None else numbers.get(p) for p in row) for row in rows)
    return ReadWords(tuple(texts), tuple(words), of_pieces)


def given_words(words: Sequence[str], rows: Sequence[Sequence[int | None]]) -> ReadWords:
    """Words that were given as such, of which the pieces of each row are; they are one text with spaces between."""
    read = sorted({number for row in rows for number in row if number is not None})
    renumbered = {number: place for place, number in enumerate(read)}
    found, start = [], 0
    for number, word in enumerate(words):
        if number in renumbered:
            found.append(ReadWord(word, 0, start, start + len(word)))
        start += len(word) + 1
    of_pieces = tuple(tuple(None if number is None else renumbered[number] for number in row) for row in rows)
    return ReadWords((" ".join(words),), tuple(found), of_pieces)


def _grouped(text: str, pieces: Sequence[Place]) -> list[tuple[list[Place], Place]]:
    """Pieces of one text, ascending, by the word that they are of."""
    words = list(word_places(text))
    groups: list[tuple[list[Place], int, int]] = []
    for piece in pieces:
        first, last = _covered(text, piece, words)
        if groups and first <= groups[-1][2]:
            covered, start, end = groups.pop()
            groups.append(([*covered, piece], min(start, first), max(end, last)))
        elif first < len(words):
            groups.append(([piece], first, last))
    return [(covered, (words[first][0], words[last][1])) for covered, first, last in groups]


def _covered(text: str, piece: Place, words: Sequence[Place]) -> Place:
    """The first and the last word that a piece overlaps; of white space alone, the next one."""
    start, end = piece
    start += len(text[start:end]) - len(text[start:end].lstrip())
    first = next((number for number, word in enumerate(words) if word[1] > start), len(words))
    last = first
    while last + 1 < len(words) and words[last + 1][0] < end:
        last += 1
    return first, last
