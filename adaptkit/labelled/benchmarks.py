"""Benchmarks by name, from a folder in their publisher's layout or from the hub."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from adaptkit.data.sources import hub_id
from adaptkit.data.tasks.benchmarks import TASKS
from adaptkit.data.tasks.examples import TaskData
from adaptkit.data.tasks.folders import FoundFile, expected_names, find_files
from adaptkit.data.tasks.hub_rows import HubRows, class_names, hub_languages, local_folder, mirrored, open_hub
from adaptkit.data.tasks.label_rules import LabelRules
from adaptkit.data.tasks.labelled_row import LabelledRow
from adaptkit.data.tasks.patterns import context_language, is_pair, language_key
from adaptkit.data.tasks.specs import HubLayout, TaskSpec
from adaptkit.errors import ConfigError, SourceNotFound
from adaptkit.labelled.collection import check_limit, collect
from adaptkit.task_types import TASK_TYPES
from adaptkit.terminal.asking import as_typed

_LabelledRows = Iterator[tuple[LabelledRow, LabelRules]]


def read_task(
    task: str, *, data: str | Path | None = None, language: str, split: str = "test", limit: int | None = None
) -> TaskData:
    """Read a benchmark in one language.

    Args:
        task: a name in `TASKS`.
        data: a folder in the publisher's layout, the benchmark's own or one that holds it; None for the hub, or the
            hub id of a copy.
        language: in any form; for MLQA also a pair of context and question language, such as `de-es`.
        split: `train`, `dev` or `test`, or what the publisher calls another one (MasakhaNEWS: `50_samples`).
        limit: take so many examples at most, spread over all.

    Raises:
        ConfigError: no such benchmark, or `limit` below 1.
        UnknownLanguage: `language` is none.
        SourceNotFound: nothing there for this language and split; it says what would be right.
        MalformedText: a file is not as its publisher has it.
        EmptyCorpus: no example has a label or answer (test sets whose answers were kept back).

    """
    spec = task_spec(task)
    check_limit(limit)
    key = language_key(spec, language)
    folder = local_folder(data)
    if folder is None:
        source, rows = _from_hub(spec, data, key, split)
    else:
        source, rows = _from_folder(spec, folder, key, split)
    description = f"{spec.name} {key} {split} ({source})"
    tag = context_language(spec, key)
    tagged = ((_in_language(row, tag), rules) for row, rules in rows)
    return collect(TASK_TYPES[spec.task_type], tagged, labels=spec.labels, description=description, limit=limit)


def task_languages(task: str, data: str | Path | None = None, *, split: str = "test") -> tuple[str, ...]:
    """Give the canonical tags of the languages that are there for a split, sorted; MLQA's pairs are not among them.

    On the hub, the split is not looked at, and a benchmark whose languages share a table (TyDiQA) has none.

    Raises:
        ConfigError: no such benchmark.
        SourceNotFound: no such folder, or no hub answers.

    """
    spec = task_spec(task)
    folder = local_folder(data)
    found = hub_languages(_hub_layout(spec, data)[0]) if folder is None else find_files(spec, folder, split)
    return tuple(sorted(key for key in found if not (spec.pairs and is_pair(key))))


def task_spec(task: str) -> TaskSpec:
    """Give the row of a benchmark.

    Raises:
        ConfigError: there is none of that name.

    """
    if task not in TASKS:
        near = get_close_matches(task, TASKS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(
            f"no benchmark is known as {task!r:.40}.{hint} Known: {', '.join(TASKS)}. Files of your own are given "
            "by language: data={'sw': 'test.tsv'}, or --data sw=test.tsv."
        )
    return TASKS[task]


def _from_folder(spec: TaskSpec, folder: Path, key: str, split: str) -> tuple[str, _LabelledRows]:
    found = find_files(spec, folder, split)
    if key not in found:
        there = f"for {', '.join(sorted(found))}" if found else "for no language"
        raise SourceNotFound(
            f"{folder} has no {split} file of {spec.name} for {key}; it has them {there}. "
            f"Expected {expected_names(spec, split, key)}."
        )
    return found[key].path.name, _rows_of_file(spec, found[key], context_language(spec, key))


def _rows_of_file(spec: TaskSpec, file: FoundFile, language: str) -> _LabelledRows:
    rules = LabelRules(allowed=spec.labels, nli=spec.nli)
    return ((LabelledRow(file.path, number, row, columns), rules) for number, row, columns in file.rows(language))


def _from_hub(spec: TaskSpec, data: str | Path | None, key: str, split: str) -> tuple[str, _LabelledRows]:
    layout, config = _hub_layout(spec, data)
    try:
        opened = open_hub(layout, key, split, config=config)
    except SourceNotFound as error:
        raise SourceNotFound(
            f"{error} For {spec.name} in {key}, give a folder ({as_typed(data=...)}) with "
            f"{expected_names(spec, split, key)}."
        ) from error
    return opened.name, _rows_of_hub(spec, opened, context_language(spec, key))


def _hub_layout(spec: TaskSpec, data: str | Path | None) -> tuple[HubLayout, str | None]:
    named = hub_id(data) if isinstance(data, str) else None
    if data is not None and named is None:
        raise SourceNotFound(f"there is no folder {data}; name the folder of {spec.name} or one that holds it.")
    if named is None:
        return spec.hub, None
    return mirrored(spec.hub, named[0]), named[1]


def _rows_of_hub(spec: TaskSpec, opened: HubRows, language: str) -> _LabelledRows:
    columns = opened.layout.columns
    label = columns.get(TASK_TYPES[spec.task_type].label_role or "", "")
    names = class_names(opened.data_set, str(label)) or spec.labels
    rules = LabelRules(allowed=spec.labels, names=names, nli=spec.nli)
    return ((LabelledRow(opened.name, number, row, columns), rules) for number, row in opened.rows(language))


def _in_language(row: LabelledRow, tag: str) -> LabelledRow:
    columns = {**row.columns, "language": "language"}
    return LabelledRow(row.file, row.number, {**row.cells, "language": tag}, columns)
