"""Labelled data as Python has it at hand: tuples such as `(text, label)`, or a mapping of columns."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeGuard

from adaptkit.data.columns import Row
from adaptkit.data.sources import is_file, looks_like_file
from adaptkit.errors import ConfigError
from adaptkit.task_types import TASK_TYPES, AnyTaskType, is_example

Tuples: TypeAlias = Sequence[tuple[Any, ...]]
MappedColumns: TypeAlias = Mapping[str, Sequence[Any]]


def is_tuples(source: object) -> TypeGuard[Tuples]:
    """Whether this is a list of tuples that are examples and not names of files."""
    return (
        isinstance(source, list | tuple)
        and bool(source)
        and all(isinstance(row, tuple) and len(row) > 1 for row in source)
        and not all(_names_file(part) for row in source for part in row)
        and not any(isinstance(part, Mapping) or is_example(part) for row in source for part in row)
    )


def is_columns(source: object, named: Mapping[str, str]) -> TypeGuard[MappedColumns]:
    """Whether this maps columns to what stands in them, and not languages to data; `named` are columns by role."""
    known = {name for kind in TASK_TYPES.values() for names in kind.columns.values() for name in names}
    return isinstance(source, Mapping) and any(
        key in named.values() or str(key).strip().lower() in known for key in source
    )


def rows_of_tuples(source: Tuples, task_type: str | None) -> Iterator[Row]:
    """Rows with named fields: the columns of the task type in their order, or by what stands in the first tuple.

    Raises:
        ConfigError: Tuples that no task has, or that differ in length.
    """
    names = _columns_of(source[0], task_type)
    for number, row in enumerate(source, start=1):
        if len(row) != len(names):
            raise ConfigError(
                f"tuple {number} has {len(row)} parts, and the first has {len(names)} ({', '.join(names)}). Give each "
                "as many."
            )
        yield dict(zip(names, map(_plain, row), strict=True))


def rows_of_columns(source: MappedColumns) -> Iterator[Row]:
    """A row for each place of the columns.

    Raises:
        ConfigError: A column that is not a list, or columns of several lengths.
    """
    columns: dict[str, Sequence[Any]] = {name: _listed(name, column) for name, column in source.items()}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r} {length:,}" for name, length in lengths.items())
        raise ConfigError(f"the columns are of several lengths: {told}. Give each one entry for every example.")
    for row in zip(*columns.values(), strict=True):
        yield dict(zip(columns, row, strict=True))


def _columns_of(first: tuple[Any, ...], task_type: str | None) -> tuple[str, ...]:
    if task_type is None:
        return _by_content(first)
    row = TASK_TYPES.require(task_type)
    roles = list(row.columns)
    for spare in sorted(row.optional, key=roles.index, reverse=True):
        if len(roles) > len(first):
            roles.remove(spare)
    if len(roles) != len(first):
        needed = ", ".join(role for role in row.columns if role not in row.optional)
        raise ConfigError(f"a tuple of {row.name} has {needed}, found {len(first)} parts: {first!r:.80}.")
    return tuple(_name(row, role) for role in roles)


def _name(row: AnyTaskType, role: str) -> str:
    return role if role in row.columns[role] else row.columns[role][0]


def _by_content(first: tuple[Any, ...]) -> tuple[str, ...]:
    """What the parts of a tuple are called, by their types: words and tags, a text, perhaps a second, and an answer."""
    *texts, answer = first
    if len(texts) == 1 and isinstance(texts[0], list | tuple) and isinstance(answer, list | tuple):
        return ("words", "tags")
    if len(texts) <= 2 and all(isinstance(text, str) for text in texts):
        answer = _plain(answer)
        called = "score" if isinstance(answer, float) else "labels" if isinstance(answer, list | tuple) else "label"
        return (*("text", "pair")[: len(texts)], called)
    raise ConfigError(
        f"{first!r:.80} is no example that is known by itself: a tuple is (text, label), (text, text, label), "
        "(text, score), (text, list of labels) or (words, tags). For others, say task_type, or give rows with names: "
        '{"question": ..., "context": ..., "answers": ...}.'
    )


def _listed(name: str, column: Any) -> Sequence[Any]:  # noqa: ANN401 - lists, arrays, series
    if hasattr(column, "tolist"):
        column = column.tolist()
    if isinstance(column, str | bytes | Mapping) or not isinstance(column, Collection):
        raise ConfigError(
            f"the column {name!r} is a {type(column).__name__}; give a list with an entry for each example."
        )
    return list(column)


def _plain(value: Any) -> Any:  # noqa: ANN401 - a number of NumPy is one
    return value.item() if hasattr(value, "item") else value


def _names_file(part: object) -> bool:
    return isinstance(part, os.PathLike) or (isinstance(part, str) and (looks_like_file(part) or is_file(part)))
