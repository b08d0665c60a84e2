"""All that a training may have read of a file: its column of text, or both sides of its translations."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from adaptkit.data.columns import TEXT_FIELDS
from adaptkit.data.corpus import open_corpus
from adaptkit.data.lines import read_lines
from adaptkit.data.packed import format_suffix
from adaptkit.data.rows import has_rows, read_rows


def every_text(path: Path) -> Iterator[str]:
    """The texts of a file, without empty ones.

    Where a file of rows has no column of text by its name, they are all fields with a text; in plain lines and a TSV
    they are all cells, for those may be translations without a header.

    Raises:
        DataError: The file is not what its name says.
    """
    if not has_rows(path) or (format_suffix(path) == ".tsv" and not _names_text(path)):
        cells = (cell for _, line in read_lines(path) for cell in line.split("\t"))
    else:
        first = next((row for _, row in read_rows(path)), {})
        if not set(TEXT_FIELDS).isdisjoint(first):
            return open_corpus(path).lines()
        cells = (text for _, row in read_rows(path) for text in _texts_in(row))
    return (stripped for cell in cells if (stripped := cell.strip()))


def _names_text(path: Path) -> bool:
    header = next((line for _, line in read_lines(path)), "")
    return not set(TEXT_FIELDS).isdisjoint(header.split("\t"))


def _texts_in(row: Mapping[str, object]) -> Iterator[str]:
    for value in row.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from _texts_in(value)
