"""Sentences in the CoNLL-U layout of Universal Dependencies: ten cells a word, the part of speech in the fourth."""

import re
from collections.abc import Iterable
from pathlib import Path

from adaptkit.data.lines import read_lines
from adaptkit.data.rows import NumberedRows
from adaptkit.data.tasks.labelled_row import LINES
from adaptkit.errors import MalformedText

_WIDTH = 10
_WORD_ID = re.compile(r"\d+")
_OTHER_ID = re.compile(r"\d+-\d+|\d+\.\d+")
_UNKNOWN = "_"

_Word = tuple[int, str, str]


def is_conllu(line: str) -> bool:
    """Tell whether a line is a word of CoNLL-U: ten cells with tabs between, the first one a number."""
    cells = line.split("\t")
    return len(cells) == _WIDTH and _is_id(cells[0])


def read_conllu(path: Path, lines: Iterable[tuple[int, str]] | None = None) -> NumberedRows:
    """Yield `(line of the first word, {"words": ..., "upos": ...})` for each sentence.

    Comments are skipped, and so are the ranges of words that are written as one (`1-2`: their parts follow) and empty
    nodes (`1.1`). A part of speech that is not given stays `_`.

    Args:
        path: the file.
        lines: its numbered lines, where they are being read already.

    Raises:
        MalformedText: a line with other cells, or no word of the file has a part of speech.

    """
    sentence: list[_Word] = []
    first, tagged = 0, False
    for number, line in read_lines(path) if lines is None else lines:
        if not line.strip(" \t"):
            if sentence:
                yield _row(sentence)
            sentence = []
        elif word := _word(path, number, line):
            sentence.append(word)
            first, tagged = first or number, tagged or word[2] != _UNKNOWN
    if sentence:
        yield _row(sentence)
    if first and not tagged:
        expected = (
            "a part of speech for each word; or write other tags to a file of two cells, the word, a tab, the tag"
        )
        raise MalformedText(path, first, "CoNLL-U without tags: the fourth cell (UPOS) of every word is _", expected)


def _word(path: Path, number: int, line: str) -> _Word | None:
    """A word with its line and part of speech; None for a comment, a range, or an empty node."""
    if line.startswith("#"):
        return None
    cells = line.split("\t")
    if not is_conllu(line) or not cells[1]:
        expected = f"CoNLL-U: {_WIDTH} cells with tabs between, the first one a number, the second the word"
        raise MalformedText(path, number, f"{len(cells)} cells ({cells[0]!r:.40} first)", expected)
    if _OTHER_ID.fullmatch(cells[0]):
        return None
    return number, cells[1], cells[3]


def _is_id(cell: str) -> bool:
    return bool(_WORD_ID.fullmatch(cell) or _OTHER_ID.fullmatch(cell))


def _row(sentence: list[_Word]) -> tuple[int, dict[str, object]]:
    numbers, words, tags = zip(*sentence, strict=True)
    return numbers[0], {"words": words, "upos": tags, LINES: numbers}
