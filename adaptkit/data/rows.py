"""Files of rows with named fields: JSON lines, CSV, TSV, parquet. One row in memory at a time (parquet: a batch)."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from adaptkit.data.columns import Row, fields_of
from adaptkit.data.lines import read_lines, read_whole
from adaptkit.data.packed import format_suffix, is_packed, open_bytes
from adaptkit.errors import MalformedText

NumberedRows = Iterator[tuple[int, Row]]

_PARQUET_BATCH_ROWS = 1024


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
        MalformedText: there are more or fewer cells than names, or a name stands twice in the header.

    """
    if len(set(header)) < len(header):
        raise MalformedText(path, 1, f"a name that stands twice in {', '.join(header)}", "a header of different names")
    if len(cells) != len(header):
        raise MalformedText(path, number, f"{len(cells)} cells", f"{len(header)}, as in the header {', '.join(header)}")
    return dict(zip(header, cells, strict=True))


def _json_rows(path: Path) -> NumberedRows:
    for number, line in read_lines(path):
        if line.strip():
            yield number, _json_row(path, number, line)


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
}
ROW_SUFFIXES = frozenset({*_LINE_FORMATS, ".parquet"})
