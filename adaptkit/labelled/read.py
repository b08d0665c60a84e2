"""A user's own labelled data: files, examples, or a data set."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import TypeAlias, TypeGuard

from adaptkit.data.columns import Row
from adaptkit.data.letters import normalized
from adaptkit.data.packed import format_suffix
from adaptkit.data.rows import NumberedRows, parquet_class_names
from adaptkit.data.sources import DataSet, describe_files, existing_path, is_data_set
from adaptkit.data.spread import spread
from adaptkit.data.tasks import NLI_LABELS, Example, TaskData
from adaptkit.data.tasks.formats import is_tsv, labelled_rows, looks_quoted
from adaptkit.data.tasks.hub_rows import class_names
from adaptkit.data.tasks.label_rules import LabelRules
from adaptkit.data.tasks.labelled_row import Columns, LabelledRow
from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.labelled.collection import check_limit, collect, occurring_labels
from adaptkit.labelled.plain_rows import MappedColumns, Tuples, is_columns, is_tuples, rows_of_columns, rows_of_tuples
from adaptkit.labelled.recognition import recognise
from adaptkit.labelled.spelling import check_texts
from adaptkit.languages import canonical_tag
from adaptkit.task_types import TASK_TYPES, AnyTaskType, Asked, is_example, type_of
from adaptkit.terminal.amounts import counted, row_of
from adaptkit.terminal.asking import as_typed

PathOrName: TypeAlias = str | os.PathLike[str]
LabelledSource: TypeAlias = (
    "PathOrName | Sequence[PathOrName] | Sequence[Example] | Sequence[Row] | Tuples | MappedColumns | DataSet"
)


@dataclass(frozen=True)
class _Table:
    """Numbered rows of one file or data set, and what its numbers stand for."""

    name: str | Path
    rows: NumberedRows
    names_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_labelled(
    source: LabelledSource,
    *,
    task_type: str | None = None,
    text: str | None = None,
    pair: str | None = None,
    label: str | None = None,
    columns: Mapping[str, str] | None = None,
    labels: Sequence[str] = (),
    nli: bool | None = None,
    score_range: tuple[float, float] = (0.0, 1.0),
    language: str | None = None,
    quoted: bool | None = None,
    limit: int | None = None,
) -> TaskData:
    """Read labelled data of one's own; formats are told as in `formats.labelled_rows`, columns as in `TASK_TYPES`.

    Entities come out in BIO, whichever of the schemes in `tag_schemes` they are written in; `notes` say so.

    Args:
        source: a file, several in a list, examples, rows (`{"text": ..., "label": ...}`) or tuples (`(text, label)`)
            in a list, columns (`{"text": [...], "label": [...]}`), or a `datasets` object.
        task_type: else it is recognised from the columns.
        text: the column of the (first) text, where its name is not recognised.
        pair: the column of the second text.
        label: the column of the label.
        columns: the column of any other role (`context`, `words`, `group`, ...; see `TaskType.columns`).
        labels: the labels in their order, none other may occur; else those that occur, sorted.
        nli: True for NLI, numbers included (0, 1, 2: entailment, neutral, contradiction); False to leave labels as they
            are; else labels of pairs become NLI's words if each is one in some spelling (`E`, `NEUTRAL`).
        score_range: lowest and highest score of similarity or regression; scores become 0 to 1.
        language: of examples that name none.
        quoted: cells of a TSV are quoted as in CSV; None: they are not, and rows that look so are counted in the notes.
        limit: take so many examples at most, spread over all.

    Raises:
        SourceNotFound: no such file.
        MalformedText: a row that is none, a column that is missing, a label that may not occur, tags of several
            schemes.
        ConfigError: a wrong argument.
        UnknownLanguage: `language` is none.
        EmptyCorpus: no example is left.

    """
    _check(task_type, score_range, limit)
    tag = None if language is None else canonical_tag(language)
    labels = tuple(normalized(label, "NFC") for label in labels)
    rules = LabelRules(allowed=NLI_LABELS if nli else tuple(labels), nli=bool(nli), score_range=score_range)
    named = {role: name for role, name in (("text", text), ("pair", pair), ("label", label)) if name is not None}
    asked = Asked(task_type, NLI_LABELS if nli else labels, nli)
    if are_examples(source):
        _require_unread(named | dict(columns or {}), score_range, quoted)
        data = _from_examples(source, asked, rules, limit)
    else:
        data = _from_tables(source, asked, rules, {**(columns or {}), **named}, quoted, limit)
    if not labels:
        _check_alike(data)
    return data if tag is None else replace(data, examples=[_tagged(example, tag) for example in data.examples])


def _check(task_type: str | None, score_range: tuple[float, float], limit: int | None) -> None:
    check_limit(limit)
    if task_type is not None:
        TASK_TYPES.require(task_type)
    if not score_range[0] < score_range[1]:
        raise ConfigError(f"score_range is {score_range}; give the lowest score and a higher one.")


def _check_alike(data: TaskData) -> None:
    """Refuse labels that a person would take for one."""
    alike: dict[str, list[str]] = {}
    for label in data.labels:
        key = " ".join(normalized(label, "NFKC").casefold().split())
        alike.setdefault(key, []).append(label)
    if several := next((found for found in alike.values() if len(found) > 1), None):
        raise ConfigError(
            f"{data.description} has the labels {' and '.join(map(repr, several))}, which differ only in case, spaces "
            "or the form of their letters. Write them alike, or give all labels in their order: labels=(...)."
        )


def are_examples(source: object) -> TypeGuard[Sequence[Example]]:
    """Whether it is a list of examples of known task types."""
    return isinstance(source, list | tuple) and all(map(is_example, source))


def _require_unread(columns: Mapping[str, str], score_range: tuple[float, float], quoted: bool | None) -> None:
    """Refuse options of reading for examples, which are values already."""
    given = {"columns": columns, "score_range": score_range != (0.0, 1.0), "quoted": quoted is not None}
    if late := [name for name, value in given.items() if value]:
        raise ConfigError(
            f"{', '.join(late)} say how a table is read, and you gave a list of examples; leave them out."
        )


def _from_examples(source: Sequence[Example], asked: Asked, rules: LabelRules, limit: int | None) -> TaskData:
    for number, example in enumerate(source):
        check_texts(row_of(number, "examples"), example, labelled=True)
    if not source:
        raise EmptyCorpus("the list of examples is empty.")
    kind = _type_of_all(source, asked.task_type)
    read = [kind.as_read(example, rules) for example in source]
    reading, kept = kind.reading(), []
    for number in spread(len(read), len(read) if limit is None else limit):
        reading.add(read[number], number)
        kept.append(read[number])
    found = occurring_labels(kind, kept)
    if asked.labels and (unknown := sorted(set(found) - set(asked.labels))):
        raise ConfigError(
            f"the examples have the labels {', '.join(unknown)}, which {as_typed(labels=asked.labels)} lacks."
        )
    description = f"a list of {counted(len(source), 'example')}"
    labels = asked.labels or found
    return reading.finished(TaskData(task_type=kind.name, examples=kept, labels=labels, description=description), asked)


def _type_of_all(examples: Sequence[Example], asked: str | None) -> AnyTaskType:
    """The task type that was asked for, or the first with examples of their class; all are of one."""
    kinds = {type_of(example).name for example in examples}
    if asked is not None and all(type(example) is TASK_TYPES[asked].example for example in examples):
        return TASK_TYPES[asked]
    kinds |= set() if asked is None else {asked}
    if len(kinds) > 1:
        raise ConfigError(f"the examples are of several task types ({', '.join(sorted(kinds))}); give those of one.")
    return TASK_TYPES[kinds.pop()]


def _from_tables(
    source: object, asked: Asked, rules: LabelRules, named: Mapping[str, str], quoted: bool | None, limit: int | None
) -> TaskData:
    seen: Counter[str] = Counter()
    tables, description = _tables(source, asked.task_type, named, quoted, seen)
    kind, rows = _first_kind(_labelled_rows(tables, asked.task_type, named, rules), description)
    reading = kind.reading()
    data = collect(kind, rows, labels=asked.labels, description=description, limit=limit, reading=reading)
    data = replace(data, notes=tuple(f"{what}: {count:,}" for what, count in seen.items() if count))
    return reading.finished(data, asked)


def _tables(
    source: object, task_type: str | None, named: Mapping[str, str], quoted: bool | None, seen: Counter[str]
) -> tuple[Iterator[_Table], str]:
    if is_data_set(source):
        names_of = {column: class_names(source, column) for column in source.features or ()}
        return iter([_Table("a data set", enumerate(source, start=1), names_of)]), "a data set"
    if is_tuples(source):
        rows = enumerate(rows_of_tuples(source, task_type), start=1)
        return iter([_Table("a list of tuples", rows)]), f"a list of {counted(len(source), 'tuple')}"
    if is_columns(source, named):
        return iter(
            [_Table("a mapping of columns", enumerate(rows_of_columns(source), start=1))]
        ), "a mapping of columns"
    if isinstance(source, list | tuple) and source and all(isinstance(row, Mapping) for row in source):
        return iter([_Table("a list of rows", enumerate(source, start=1))]), f"a list of {counted(len(source), 'row')}"
    files = [source] if isinstance(source, str | os.PathLike) else source
    if not isinstance(files, list | tuple) or not all(isinstance(name, str | os.PathLike) for name in files):
        raise ConfigError(
            f"a {type(source).__name__} is no labelled data; give files, a list of tuples such as "
            '("...", "label") or of rows such as {"text": "...", "label": "..."}, examples or a data set.'
        )
    paths = [existing_path(name) for name in files]
    return (_table_of(path, task_type, quoted, seen) for path in paths), describe_files(paths)


def _table_of(path: Path, task_type: str | None, quoted: bool | None, seen: Counter[str]) -> _Table:
    from_lines = task_type is not None and TASK_TYPES[task_type].from_lines
    rows = labelled_rows(path, from_lines=from_lines, quoted=bool(quoted))
    if quoted is None and is_tsv(path):
        rows = _counting_quoted(rows, seen)
    return _Table(path, rows, _class_names(path))


def _counting_quoted(rows: NumberedRows, seen: Counter[str]) -> NumberedRows:
    for number, row in rows:
        seen[_quoted()] += looks_quoted(row)
        yield number, row


def _class_names(path: Path) -> Mapping[str, tuple[str, ...]]:
    return parquet_class_names(path) if format_suffix(path) == ".parquet" else {}


_LabelledRows: TypeAlias = Iterator[tuple[AnyTaskType, LabelledRow, LabelRules]]


def _labelled_rows(
    tables: Iterable[_Table], task_type: str | None, named: Mapping[str, str], rules: LabelRules
) -> _LabelledRows:
    """Yield the rows of all tables; the first row of each decides on its columns, that of the first on the task."""
    for table in tables:
        first = next(table.rows, None)
        if first is None:
            continue
        kind, columns = recognise(table.name, *first, task_type, named)
        task_type = kind.name
        own = replace(rules, names=table.names_of.get(str(columns.get(kind.label_role or "")), ()))
        yield from _of_table(table, chain([first], table.rows), kind, columns, own)


def _of_table(
    table: _Table, rows: Iterable[tuple[int, Row]], kind: AnyTaskType, columns: Columns, rules: LabelRules
) -> _LabelledRows:
    return ((kind, LabelledRow(table.name, number, row, columns), rules) for number, row in rows)


def _first_kind(rows: _LabelledRows, description: str) -> tuple[AnyTaskType, Iterator[tuple[LabelledRow, LabelRules]]]:
    """Look at the first row for the task type, and give all of them."""
    first = list(islice(rows, 1))
    if not first:
        raise EmptyCorpus(f"{description} holds no example.")
    return first[0][0], ((row, rules) for _, row, rules in chain(first, rows))


def _tagged(example: Example, tag: str) -> Example:
    return example if example.language is not None else replace(example, language=tag)


def _quoted() -> str:
    taken_off = as_typed(quoted=True)
    return f"rows with a cell that looks quoted as in CSV, whose quotes were kept ({taken_off} takes them off)"
