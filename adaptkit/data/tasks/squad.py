"""Questions in the JSON document of SQuAD: articles, their paragraphs, the questions on each."""

import json
from collections.abc import Iterator
from pathlib import Path

from adaptkit.data.columns import Row
from adaptkit.data.lines import read_document
from adaptkit.data.rows import NumberedRows
from adaptkit.errors import MalformedText


def is_squad(path: Path) -> bool:
    """Tell a SQuAD document from JSON lines, which have the same suffix `.json`.

    Raises:
        MalformedText: not UTF-8, or a broken document.

    """
    text = read_document(path)
    try:
        document: object = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg.startswith("Extra data"):
            return False
        raise MalformedText(
            path, error.lineno, f"broken JSON ({error.msg})", "a SQuAD document or JSON lines"
        ) from error
    except RecursionError as error:
        raise MalformedText(path, 1, "JSON nested too deeply", "a SQuAD document or JSON lines") from error
    return isinstance(document, dict) and isinstance(document.get("data"), list)


def read_questions(path: Path) -> NumberedRows:
    """Yield `(line, row)` for each question, with the fields id, question, context, answers and is_impossible.

    The line is the one where the question's id stands: in a document on one line, always 1.

    Raises:
        MalformedText: broken JSON, or no SQuAD document; it says where in the document something is missing.

    """
    text = read_document(path)
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise MalformedText(path, line, f"broken JSON ({error})", "a SQuAD document") from error
    lines = _LineFinder(text)
    for where, context, question in _questions(path, lines, document):
        number = lines.line_of(question.get("id"))
        for field in ("id", "question", "answers"):
            if field not in question:
                raise MalformedText(path, number, f"{where} without {field!r}", "id, question and answers")
        yield number, {**question, "id": str(question["id"]), "context": context}


class _LineFinder:
    """Finds the lines of ids that come in the order of the text."""

    def __init__(self, text: str) -> None:
        self.line = 1
        self._text = text
        self._position = 0

    def line_of(self, identifier: object) -> int:
        """Give the line of the next place where the id stands; where it is written otherwise, the latest line."""
        found = self._text.find(json.dumps(identifier), self._position)
        if found >= 0:
            self.line += self._text.count("\n", self._position, found)
            self._position = found
        return self.line


def _questions(path: Path, lines: _LineFinder, document: object) -> Iterator[tuple[str, object, Row]]:
    for article_place, article in _entries(path, lines, "the document", document, "data"):
        for paragraph_place, paragraph in _entries(path, lines, article_place, article, "paragraphs"):
            if not isinstance(paragraph.get("context"), str):
                raise MalformedText(path, lines.line, f"{paragraph_place} without a context", "a context as text")
            for place, question in _entries(path, lines, paragraph_place, paragraph, "qas"):
                yield place, paragraph["context"], question


def _entries(path: Path, lines: _LineFinder, place: str, parent: object, field: str) -> Iterator[tuple[str, Row]]:
    entries = parent.get(field) if isinstance(parent, dict) else None
    if not isinstance(entries, list):
        raise MalformedText(path, lines.line, f"{place} without a list {field!r}", "a SQuAD document")
    for number, entry in enumerate(entries):
        inner = f"{field}[{number}]" if place == "the document" else f"{place}.{field}[{number}]"
        if not isinstance(entry, dict):
            raise MalformedText(path, lines.line, f"a {type(entry).__name__} at {inner}", "an object")
        yield inner, entry
