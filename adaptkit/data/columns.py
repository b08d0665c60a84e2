"""Rows of named fields, and the field that holds the text."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from adaptkit.errors import ConfigError, MalformedText
from adaptkit.terminal.amounts import row_of
from adaptkit.terminal.asking import as_typed

Row = Mapping[str, object]

TEXT_FIELDS = ("text", "sentence", "content")
"""Field names that hold the text where the caller names none."""


def column_texts(file: str | Path, rows: Iterable[tuple[int, Row]], column: str | None) -> Iterator[str]:
    """Yield the text of every numbered row; without `column`, the first row decides (`text_column`).

    Raises:
        MalformedText: no such field in a row, no clear choice, or something else than text in it.

    """
    for number, row in rows:
        column = column or text_column(file, number, row)
        if column not in row:
            raise MalformedText(file, number, fields_of(row), f"a field {column!r}")
        yield checked_text(file, number, row[column])


def text_column(file: str | Path, number: int, row: Row) -> str:
    """Choose the field that holds the text: the one called as in `TEXT_FIELDS`, else the only one with a string.

    Raises:
        MalformedText: there is no such field, or there are several; it names the fields found.

    """
    named = [field for field in TEXT_FIELDS if field in row and isinstance(row[field], str | None)]
    candidates = named or [field for field, value in row.items() if isinstance(value, str)]
    if len(candidates) != 1:
        expected = (
            f"one field with a string, or one called {', '.join(TEXT_FIELDS)} (else name it: {as_typed(column=...)})"
        )
        raise MalformedText(file, number, fields_of(row), expected)
    return candidates[0]


def checked_text(file: str | Path, number: int, value: object) -> str:
    """Give the value back if it is text that UTF-8 can hold; in a file, null is the empty text.

    Raises:
        MalformedText: another type, or half a surrogate pair (tokenizers fail on it).

    """
    return "" if value is None else given_text(file, number, value)


def given_text(place: str | Path, number: int, value: object) -> str:
    """Give a value of a list back if it is text; there, None is none.

    Raises:
        MalformedText: it is None, NaN or of another type, or has half a surrogate pair.

    """
    if fault := fault_of(value):
        raise MalformedText(place, number, fault, "text that UTF-8 can hold" if isinstance(value, str) else "text")
    return str(value)


def require_texts(texts: Iterable[object], what: str, *, filled: bool = False) -> None:
    """Refuse a list with anything but text in it, and one with an empty text where each must be `filled`.

    Raises:
        ConfigError: it names the first row with something else, counted from 1.

    """
    for number, value in enumerate(texts):
        if fault := fault_of(value):
            raise ConfigError(f"{row_of(number, what)} is {fault}; give text (str), or leave it out.")
        if filled and not str(value).strip():
            raise ConfigError(f"{row_of(number, what)} is empty; give text, or leave it out.")


def fault_of(value: object) -> str | None:
    """Say what is wrong with a value as a text; None if nothing is."""
    if value is None:
        return "None"
    if isinstance(value, float) and value != value:
        return "NaN, which tables write for an empty cell"
    if not isinstance(value, str):
        return f"a value of type {type(value).__name__}"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "half a surrogate pair"
    return None


def fields_of(row: Row) -> str:
    """Name the fields of a row, for a message."""
    return f"the fields {', '.join(map(repr, row))}" if row else "no fields"
