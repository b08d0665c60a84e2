"""Labelled examples as the rows of a file, which are read as the same examples."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from adaptkit.data.tasks import TaskData
from adaptkit.task_types import TASK_TYPES


def json_lines_of(data: TaskData) -> Iterator[str]:
    """A row of JSON for each example."""
    columns = TASK_TYPES[data.task_type].columns
    for example in data.examples:
        filled = {name: value for name, value in asdict(example).items() if value is not None}
        yield json.dumps({_column(name, columns): value for name, value in filled.items()}, ensure_ascii=False)


def _column(name: str, columns: Mapping[str, tuple[str, ...]]) -> str:
    known = columns.get(name, (name,))
    return name if name in known else known[0]
