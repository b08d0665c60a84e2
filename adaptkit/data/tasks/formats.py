"""The format of a user's labelled file, told by its suffix and its first line."""

import re
from pathlib import Path

from adaptkit.data.columns import Row
from adaptkit.data.lines import read_lines
from adaptkit.data.packed import format_suffix
from adaptkit.data.rows import NumberedRows, has_rows, read_rows, read_tsv
from adaptkit.data.tasks.conll import read_sentences
from adaptkit.data.tasks.conllu import read_conllu
from adaptkit.data.tasks.squad import is_squad, read_questions
from adaptkit.errors import MalformedText
from adaptkit.terminal.asking import as_typed

_QUOTED = re.compile(r'"(?=.*"")(?:[^"]|"")*"', re.DOTALL)
CONLL_SUFFIXES = frozenset({".conll", ".bio", ".iob", ".iob2"})


def labelled_rows(path: Path, *, from_lines: bool, quoted: bool) -> NumberedRows:
    """Yield the numbered rows of a file.

    `from_lines` says that the task has a word in each line of a file that is not a table.

    | file                                            | read as                              |
    |-------------------------------------------------|--------------------------------------|
    | `.conll`, `.bio`, `.iob`, `.iob2`               | CoNLL                                |
    | `.conllu`, and CoNLL of 10 cells, numbers first | CoNLL-U, whose tags are UPOS         |
    | any other but rows, if `from_lines`             | CoNLL                                |
    | `.tsv` whose line 1 is no header, if `from_lines`| CoNLL                                |
    | `.json` with SQuAD's `{"data": [...]}`          | SQuAD                                |
    | `.jsonl`, `.json`, `.ndjson`, `.csv`, `.parquet`| rows                                 |
    | `.tsv`, and any other with tabs in line 1       | TSV with a header, quoted if `quoted`|

    Raises:
        MalformedText: none of these, or a file that is not in its format.

    """
    suffix = format_suffix(path)
    if suffix == ".conllu":
        return read_conllu(path)
    if suffix in CONLL_SUFFIXES or (from_lines and _is_conll(path, suffix)):
        return read_sentences(path)
    if suffix == ".json" and is_squad(path):
        return read_questions(path)
    if has_rows(path) and suffix != ".tsv":
        return read_rows(path)
    if "\t" not in (header := _first_line(path)):
        expected = (
            f"a header with tabs (TSV); or say {as_typed(task_type='tagging')} for CoNLL, or name the file .csv or "
            ".jsonl"
        )
        raise MalformedText(path, 1, f"{header!r:.60}", expected)
    return read_tsv(path, quoted=quoted)


def looks_quoted(row: Row) -> bool:
    """Tell whether a cell has what only quoting gives: quotes around, and double ones inside."""
    return any(isinstance(cell, str) and _QUOTED.fullmatch(cell) for cell in row.values())


def is_tsv(path: Path) -> bool:
    """Tell what is read as TSV if it is no CoNLL."""
    return format_suffix(path) == ".tsv" or not has_rows(path)


def _is_conll(path: Path, suffix: str) -> bool:
    if suffix == ".tsv":
        names = {name.strip().lower() for name in _first_line(path).split("\t")}
        return not names & {"words", "tokens"}
    return not has_rows(path)


def _first_line(path: Path) -> str:
    return next((line for _, line in read_lines(path)), "")
