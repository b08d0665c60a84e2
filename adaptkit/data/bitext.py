"""Files of sentence pairs: rows with languages as fields, lines with tabs, and two files side by side."""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from adaptkit.data.columns import Row
from adaptkit.data.lines import read_lines
from adaptkit.data.packed import format_suffix
from adaptkit.data.rows import NumberedRows, has_rows, name_cells, read_rows
from adaptkit.data.tmx import tmx_rows
from adaptkit.data.translations import LanguagePair, field_of, languages_beside, names_languages
from adaptkit.errors import MalformedText

TwoFiles = tuple[Path, Path]
Pairs = Iterator[tuple[str, str]]


def file_pairs(part: Path | TwoFiles, languages: LanguagePair) -> Pairs:
    """Yield `(source sentence, target sentence)` of one file, or of two with the same number of lines.

    Raises:
        MalformedText: a row without one of the languages, a line of other than two columns, or a file that ends early.

    """
    if isinstance(part, tuple):
        return _side_by_side(*part)
    if format_suffix(part) == ".tmx":
        return languages.pairs(part, _filled(part, languages))
    if (rows := _language_rows(part)) is not None:
        return languages.pairs(part, rows)
    return _two_columns(part)


def first_row(part: Path | TwoFiles, languages: LanguagePair) -> tuple[int, Row] | None:
    """Give the first numbered row whose fields are languages; None where the file names no languages."""
    if isinstance(part, tuple):
        return None
    if format_suffix(part) == ".tmx":
        return _first_unit(part, languages)
    rows = _language_rows(part)
    return None if rows is None else next(rows, None)


def names_its_languages(part: Path | TwoFiles) -> bool:
    """Whether a file says which language is where; the order of two columns, or of two files, does not."""
    return not isinstance(part, tuple) and (format_suffix(part) == ".tmx" or _language_rows(part) is not None)


def _first_unit(path: Path, languages: LanguagePair) -> tuple[int, Row] | None:
    """The first that has the languages, also the preferred one, where there is such: not each needs to have them."""
    found: dict[str, None] = {}
    first: tuple[int, Row] | None = None
    preferred = languages.source or languages.preferred
    for number, unit in tmx_rows(path):
        if _has(unit, languages):
            first = first or (number, unit)
            if preferred is None or field_of(preferred, tuple(unit)):
                return number, unit
        found.update(dict.fromkeys(unit))
    if first is not None:
        return first
    if found:
        more = ["one more language"] if languages.source is None else []
        expected = f"a unit in {' and '.join([*_wanted(languages), *more])}"
        raise MalformedText(path, 1, f"the languages {', '.join(found)}", expected)
    return None


def _has(unit: Row, languages: LanguagePair) -> bool:
    """Whether a unit has both languages, where the source is left open any beside the target."""
    has_asked = all(field_of(wanted, tuple(unit)) for wanted in _wanted(languages))
    return has_asked and (languages.source is not None or bool(languages_beside(languages.target, unit)))


def _filled(path: Path, languages: LanguagePair) -> NumberedRows:
    """The units of a translation memory, with nothing for a language that one of them lacks."""
    for number, unit in tmx_rows(path):
        lacking = [wanted for wanted in _wanted(languages) if field_of(wanted, tuple(unit)) is None]
        yield number, {**unit, **dict.fromkeys(lacking)}


def _wanted(languages: LanguagePair) -> list[str]:
    return [languages.target] if languages.source is None else [languages.target, languages.source]


def _language_rows(path: Path) -> NumberedRows | None:
    if has_rows(path) and format_suffix(path) != ".tsv":
        return read_rows(path)
    lines = read_lines(path)
    header = next((line for _, line in lines), "").split("\t")
    if not names_languages(header):
        return None
    return ((number, name_cells(path, number, header, line.split("\t"))) for number, line in lines if line)


def _two_columns(path: Path) -> Pairs:
    for number, line in read_lines(path):
        cells = line.split("\t")
        if line and len(cells) != 2:
            expected = (
                "two (source and target), or a header of languages in line 1; two plain files are given as a pair"
            )
            raise MalformedText(path, number, f"{len(cells)} columns", expected)
        if line:
            yield cells[0], cells[1]


def _side_by_side(source: Path, target: Path) -> Pairs:
    for number, (left, right) in enumerate(zip_longest(read_lines(source), read_lines(target)), start=1):
        if left is None or right is None:
            short, other = (source, target) if left is None else (target, source)
            raise MalformedText(short, number, "the end of the file", f"as many lines as in {other}")
        yield left[1], right[1]
