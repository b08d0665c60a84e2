"""Sentences in the CoNLL layout: a word and its tag on a line, an empty line between sentences."""

import re
from collections.abc import Iterator
from pathlib import Path

from adaptkit.data.lines import read_lines
from adaptkit.data.rows import NumberedRows
from adaptkit.errors import MalformedText

DOCUMENT_START = "-DOCSTART-"

_CONLLU_CELLS = 10
_NUMBER = re.compile(r"\d+([-.]\d+)?")
_SAYS = re.compile(r"# ?([\w.:-]+ ?=|newdoc\b|newpar\b)")
_TAG = re.compile(r"O|[A-Z]-\S+")

_Word = tuple[int, str, str]


def read_sentences(path: Path) -> NumberedRows:
    """Yield `(line of the first word, {"words": ..., "tags": ...})` for each sentence.

    Cells are separated by tabs, or by single spaces in a line without a tab. The word is the first cell, its tag
    the last; every line has as many cells as the first. Lines that start a document and comments (`# text = ...`) are
    skipped.

    Raises:
        MalformedText: a line without a tag, or with another number of cells; CoNLL-U, whose last column holds no tags.

    """
    sentence: list[_Word] = []
    for word in _words(path):
        if word is not None:
            sentence.append(word)
        elif sentence:
            yield _row(sentence)
            sentence = []
    if sentence:
        yield _row(sentence)


def _words(path: Path) -> Iterator[_Word | None]:
    """Yield a word with its line and tag; None where a sentence ends."""
    width = 0
    for number, line in read_lines(path):
        if not line.strip(" \t") or line.startswith(DOCUMENT_START):
            yield None
            continue
        cells = line.rstrip(" \t").split("\t" if "\t" in line else " ")
        if _is_comment(line, cells, width):
            continue
        if len(cells) == _CONLLU_CELLS and _NUMBER.fullmatch(cells[0]):
            expected = "two columns; several of CoNLL-U may be meant. Keep the words and one kind of tags: cut -f 2,4"
            raise MalformedText(path, number, "a word of CoNLL-U, with its number first", expected)
        width = width or len(cells)
        if len(cells) < 2 or len(cells) != width or not cells[0]:
            expected = f"a word and its tag in {max(width, 2)} cells with a tab or a space between, or an empty line"
            raise MalformedText(path, number, _found(cells), expected)
        yield number, cells[0], cells[-1]


def _is_comment(line: str, cells: list[str], width: int) -> bool:
    """Tell `# text = ...`, `# id 7` or `# newdoc` from the word `#` and its tag."""
    if not line.startswith("# ") and line != "#":
        return False
    if "\t" in line:  # between the sign and what it says there is no tab
        return cells[0] != "#"
    if _SAYS.match(line) or (width and len(cells) != width):
        return True
    return not width and not _TAG.fullmatch(cells[-1])


def _found(cells: list[str]) -> str:
    return f"no word before {cells[-1]!r}" if not cells[0] else f"{len(cells)} cells ({cells[0]!r:.40} first)"


def _row(sentence: list[_Word]) -> tuple[int, dict[str, object]]:
    numbers, words, tags = zip(*sentence, strict=True)
    return numbers[0], {"words": words, "tags": tags}
