"""Files of rows with named fields: JSON lines, CSV, TSV, TMX, parquet. One row in memory at a time."""

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from adaptkit.data.columns import Row, fields_of
from adaptkit.data.lines import read_document, read_lines, read_whole
from adaptkit.data.packed import format_suffix, is_packed, open_bytes
from adaptkit.data.tmx import tmx_rows
from adaptkit.errors import MalformedText

NumberedRows = Iterator[tuple[int, Row]]

_PARQUET_BATCH_ROWS = 1024
_BEGINNING = 2**12


def has_rows(path: Path) -> bool:
    """Tell whether the suffix (before a `.gz`, `.xz`, `.bz2` or `.zst`) names a format with named fields."""
    return format_suffix(path) in ROW_SUFFIXES


def read_rows(path: Path, column: str | None = None) -> NumberedRows:
    """Yield `(number, row)`: the line that a row starts on, or in parquet the row's number, from 1 on.

    CSV and TSV start with a header. A TSV cell is taken as it stands: a quote is a quote. With `column`,
    parquet reads that column only; the other formats take no notice of it.

    Raises:
        MalformedText: a line is no row of this format, or a parquet file has no such column.

    """
    if format_suffix(path) == ".parquet":
        return _parquet_file_rows(path, column)
    return _LINE_FORMATS[format_suffix(path)](path)


def name_cells(path: Path, number: int, header: Sequence[str], cells: Sequence[str]) -> Row:
    """Make a row of a table's cells.

    Raises:
        MalformedText: there are more or fewer cells than names, the cells are the header again, or a name stands twice
            in it.

    """
    if len(set(header)) < len(header):
        raise MalformedText(path, 1, f"a name that occurs twice in {', '.join(header)}", "a header of different names")
    if len(cells) != len(header):
        raise MalformedText(path, number, f"{len(cells)} cells", f"{len(header)}, as in the header {', '.join(header)}")
    if list(cells) == list(header):
        found, expected = f"the header {', '.join(header)} once more", "rows (were several files put into one?)"
        raise MalformedText(path, number, found, expected)
    return dict(zip(header, cells, strict=True))


def _json_rows(path: Path) -> NumberedRows:
    """Yield the rows of JSON lines, or in a `.json` of one array."""
    if format_suffix(path) == ".json" and path.is_file() and _begins_array(path):
        yield from _array_rows(path)
        return
    for number, line in read_lines(path):
        if line.strip():
            yield number, _json_row(path, number, line)


def _begins_array(path: Path) -> bool:
    """Tell an array from JSON lines: what is not empty begins with its bracket."""
    try:
        with open_bytes(path) as stream:
            # Not a line: an array is often written on one, of any length.
            return stream.read(_BEGINNING).removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"["
    except (OSError, EOFError, ValueError):
        # Reading the lines says what is wrong.
        return False


def _array_rows(path: Path) -> NumberedRows:
    text, decoder = read_document(path), json.JSONDecoder()
    place, number = text.index("[") + 1, text.count("\n", 0, text.index("[")) + 1
    expected = "an array of JSON objects with commas between, or one JSON object a line"
    while True:
        begin = _after_space(text, place)
        number += text.count("\n", place, begin)
        if text[begin : begin + 1] == "]":
            break
        try:
            row, end = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError) as error:
            raise MalformedText(path, number, f"broken JSON ({error})", expected) from error
        if not isinstance(row, dict):
            raise MalformedText(path, number, f"a JSON {type(row).__name__} in the array", expected)
        yield number, row
        place = _after_space(text, end)
        number += text.count("\n", begin, place)
        if text[place : place + 1] == ",":
            place += 1
        elif text[place : place + 1] != "]":
            raise MalformedText(path, number, f"broken JSON ({text[place : place + 20]!r} after an object)", expected)
    if text[begin + 1 :].strip():
        raise MalformedText(path, number, "something after the end of the array", expected)


def _after_space(text: str, place: int) -> int:
    while text[place : place + 1] in {" ", "\t", "\n", "\r"}:
        place += 1
    return place


def _json_row(path: Path, number: int, line: str) -> Row:
    try:
        row: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise MalformedText(path, number, f"broken JSON ({error})", "one JSON object a line") from error
    if not isinstance(row, dict):
        raise MalformedText(path, number, f"a JSON {type(row).__name__}", "one JSON object a line")
    return row


def _csv_rows(path: Path) -> NumberedRows:
    return _quoted_rows(path, ",", "comma")


def _quoted_rows(path: Path, delimiter: str, delimiter_name: str) -> NumberedRows:
    reader = csv.reader((line + "\n" for _, line in read_lines(path)), delimiter=delimiter, strict=True)
    start = 1  # a quoted cell may go over several lines: a row is known by its first
    try:
        header = next(reader, [])
        start = reader.line_num + 1
        for cells in reader:
            if cells:
                yield start, name_cells(path, start, header, cells)
            start = reader.line_num + 1
    except csv.Error as error:
        expected = (
            f"{delimiter_name}-separated cells of at most {csv.field_size_limit():,} characters, every quote closed"
        )
        raise MalformedText(path, start, f"a broken row ({error})", expected) from error


def read_tsv(path: Path, *, names: Sequence[str] | None = None, quoted: bool = False) -> NumberedRows:
    """Yield `(number, row)` of a TSV file whatever its suffix, for publishers that differ from `read_rows`.

    Args:
        path: the file.
        names: the columns' names where line 1 is a row already.
        quoted: cells are quoted as in CSV; such a file has a header.

    Raises:
        MalformedText: a line is no row of this table.

    """
    return _quoted_rows(path, "\t", "tab") if quoted else _tsv_rows(path, names)


def _tsv_rows(path: Path, names: Sequence[str] | None = None) -> NumberedRows:
    lines = read_lines(path)
    header = names or next((line for _, line in lines), "").split("\t")
    for number, line in lines:
        if line:
            yield number, name_cells(path, number, header, line.split("\t"))


def _parquet_file_rows(path: Path, column: str | None) -> NumberedRows:
    # A parquet file is read from its end on, which packed files and pipes cannot be.
    with io.BytesIO(read_whole(path)) if is_packed(path) or not path.is_file() else open_bytes(path) as stream:
        yield from _parquet_rows(path, stream, column)


def parquet_class_names(path: Path) -> Mapping[str, tuple[str, ...]]:
    """Give the names that `datasets` kept in a parquet file for the numbers in its columns.

    Raises:
        MalformedText: no parquet file.

    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    stream = io.BytesIO(read_whole(path)) if is_packed(path) else open_bytes(path)
    try:
        with stream:
            metadata = pq.read_schema(stream).metadata or {}
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        found = {column: _names_in(feature) for column, feature in features.items()}
    except (pa.ArrowException, OSError) as error:
        raise MalformedText(path, 1, f"a broken parquet file ({error})", "a parquet file") from error
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return {}  # written by something else than `datasets`
    return {column: names for column, names in found.items() if names}


def _names_in(feature: object) -> tuple[str, ...]:
    if isinstance(feature, list) and len(feature) == 1:
        return _names_in(feature[0])
    if not isinstance(feature, dict):
        return ()
    names = feature.get("names")
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return tuple(names)
    return _names_in(feature.get("feature"))


def _parquet_rows(path: Path, stream: BinaryIO, column: str | None) -> NumberedRows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(stream) as table:
            fields = dict.fromkeys(table.schema_arrow.names)
            if column is not None and column not in fields:
                raise MalformedText(path, 1, fields_of(fields), f"a field {column!r}")
            for batch in table.iter_batches(_PARQUET_BATCH_ROWS, columns=None if column is None else [column]):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pa.ArrowException, OSError) as error:
        raise MalformedText(path, number + 1, f"a broken parquet file ({error})", "a parquet file") from error


_LINE_FORMATS: Mapping[str, Callable[[Path], NumberedRows]] = {
    ".jsonl": _json_rows,
    ".json": _json_rows,
    ".ndjson": _json_rows,
    ".csv": _csv_rows,
    ".tsv": _tsv_rows,
    ".tmx": tmx_rows,
}
ROW_SUFFIXES = frozenset({*_LINE_FORMATS, ".parquet"})
JSON_SUFFIXES = frozenset(suffix for suffix, read in _LINE_FORMATS.items() if read is _json_rows)
