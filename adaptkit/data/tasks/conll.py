"""Sentences in the CoNLL layout: a word and its tag on a line, an empty line between sentences."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from adaptkit.data.lines import read_lines
from adaptkit.data.rows import NumberedRows
from adaptkit.data.tasks.conllu import is_conllu, read_conllu
from adaptkit.data.tasks.labelled_row import LINES
from adaptkit.errors import MalformedText

DOCUMENT_START = "-DOCSTART-"

# Comments that may have as many cells as a word with its tags.
_COMMENT = re.compile(r"# ?[\w.:-]+ = |# new(doc|par)\b|#(begin|end) document\b|# [^\t]*\t")
# Fewer words in order may well be a sentence.
_COUNTED = 3

_Line = tuple[int, str]
_Word = tuple[int, str, str]


def read_sentences(path: Path) -> NumberedRows:
    """Yield `(line of the first word, {"words": ..., "tags": ...})` for each sentence.

    Cells are separated by tabs, or by single spaces in a line without a tab. The word is the first cell, its tag
    the last; every line has as many cells as the first. Lines that start a document are skipped, and so are comments:
    lines that start with `#` and have no tab where words have one; and before a sentence, `# name = ...`, `# newdoc`,
    and lines that start with `#` and have other cells than a word (`# id 7`). A file of CoNLL-U is read as such.

    Raises:
        MalformedText: a line without a tag, or with another number of cells; numbers in place of the words.

    """
    lines = read_lines(path)
    head = list(_up_to_a_word(lines))
    layout = _Layout.of([line for _, line in head])
    if is_conllu(layout.line):
        yield from read_conllu(path, chain(head, lines))
        return
    sentences = _sentences(_words(path, chain(head, lines), layout))
    for index, sentence in enumerate(sentences):
        if index == 0:
            _require_words(path, sentence, layout)
        yield _row(sentence)


@dataclass(frozen=True)
class _Layout:
    """The cells of the lines, by one that holds a word."""

    line: str

    @classmethod
    def of(cls, head: list[str]) -> "_Layout":
        """By the last line; one that starts with `#` is a word where there is no other."""
        words = [line for line in head if not _is_between(line)]
        return cls(next((line for line in reversed(words) if not line.startswith("#")), words[0] if words else ""))

    @property
    def width(self) -> int:
        return len(_cells(self.line))

    def is_comment(self, line: str, *, in_sentence: bool) -> bool:
        if not line.startswith("#"):
            return False
        if "\t" in self.line and "\t" not in line:
            return True
        return not in_sentence and (len(_cells(line)) != self.width or bool(_COMMENT.match(line)))


def _up_to_a_word(lines: Iterator[_Line]) -> Iterator[_Line]:
    for numbered in lines:
        yield numbered
        if not (_is_between(numbered[1]) or numbered[1].startswith("#")):
            return


def _is_between(line: str) -> bool:
    return not line.strip(" \t") or line.startswith(DOCUMENT_START)


def _cells(line: str) -> list[str]:
    return line.rstrip(" \t").split("\t" if "\t" in line else " ")


def _words(path: Path, lines: Iterable[_Line], layout: _Layout) -> Iterator[_Word | None]:
    """Yield a word with its line and tag; None where a sentence ends."""
    width, in_sentence = layout.width, False
    for number, line in lines:
        if _is_between(line):
            in_sentence = False
            yield None
            continue
        if layout.is_comment(line, in_sentence=in_sentence):
            continue
        cells = _cells(line)
        if len(cells) < 2 or len(cells) != width or not cells[0]:
            expected = f"a word and its tag in {max(width, 2)} cells with a tab or a space between, or an empty line"
            raise MalformedText(path, number, _found(cells), expected)
        in_sentence = True
        yield number, cells[0], cells[-1]


def _sentences(words: Iterable[_Word | None]) -> Iterator[list[_Word]]:
    sentence: list[_Word] = []
    for word in words:
        if word is not None:
            sentence.append(word)
        elif sentence:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _require_words(path: Path, sentence: list[_Word], layout: _Layout) -> None:
    """Refuse a file whose words are numbered in a cell before them, by its first sentence."""
    counted = [str(count) for count in range(1, len(sentence) + 1)]
    if layout.width > 2 and len(sentence) >= _COUNTED and [word for _, word, _ in sentence] == counted:
        expected = "the word in the first cell, its tag in the last; take out the cell with the numbers"
        raise MalformedText(path, sentence[0][0], "1, 2, 3, ... in place of the words", expected)


def _found(cells: list[str]) -> str:
    return f"no word before {cells[-1]!r}" if not cells[0] else f"{len(cells)} cells ({cells[0]!r:.40} first)"


def _row(sentence: list[_Word]) -> tuple[int, dict[str, object]]:
    numbers, words, tags = zip(*sentence, strict=True)
    return numbers[0], {"words": words, "tags": tags, LINES: numbers}
