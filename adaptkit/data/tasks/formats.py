"""The format of a user's labelled file, told by its suffix and its first line."""

from pathlib import Path

from adaptkit.data.lines import read_lines
from adaptkit.data.packed import format_suffix
from adaptkit.data.rows import NumberedRows, has_rows, read_rows, read_tsv
from adaptkit.data.tasks.conll import read_sentences
from adaptkit.data.tasks.examples import TaskType
from adaptkit.data.tasks.squad import is_squad, read_questions
from adaptkit.errors import MalformedText

_CONLL_SUFFIXES = frozenset({".conll", ".bio", ".iob", ".iob2"})


def labelled_rows(path: Path, task_type: TaskType | None, *, quoted: bool) -> NumberedRows:
    """Yield the numbered rows of a file.

    | file                                            | read as                              |
    |-------------------------------------------------|--------------------------------------|
    | `.conll`, `.bio`, `.iob`, `.iob2`               | CoNLL                                |
    | any other but rows, where the task is tagging   | CoNLL                                |
    | `.tsv` for tagging whose line 1 is no header    | CoNLL                                |
    | `.json` with SQuAD's `{"data": [...]}`          | SQuAD                                |
    | `.jsonl`, `.json`, `.ndjson`, `.csv`, `.parquet`| rows                                 |
    | `.tsv`, and any other with tabs in line 1       | TSV with a header, quoted if `quoted`|

    Raises:
        MalformedText: none of these, or a file that is not in its format.

    """
    suffix = format_suffix(path)
    if suffix in _CONLL_SUFFIXES or (task_type == "tagging" and _is_conll(path, suffix)):
        return read_sentences(path)
    if suffix == ".json" and is_squad(path):
        return read_questions(path)
    if has_rows(path) and suffix != ".tsv":
        return read_rows(path)
    if "\t" not in (header := _first_line(path)):
        expected = "a header with tabs (TSV); or say task_type='tagging' for CoNLL, or name the file .csv or .jsonl"
        raise MalformedText(path, 1, f"{header!r:.60}", expected)
    return read_tsv(path, quoted=quoted)


def _is_conll(path: Path, suffix: str) -> bool:
    if suffix == ".tsv":
        names = {name.strip().lower() for name in _first_line(path).split("\t")}
        return not names & {"words", "tokens"}
    return not has_rows(path)


def _first_line(path: Path) -> str:
    return next((line for _, line in read_lines(path)), "")
