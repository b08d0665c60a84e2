"""Which task the columns of a labelled file make: the first task type whose columns are all there."""

from collections.abc import Sequence
from pathlib import Path

from adaptkit.data.columns import Row
from adaptkit.data.tasks.labelled_row import Columns
from adaptkit.errors import ConfigError, MalformedText
from adaptkit.task_types import TASK_TYPES, AnyTaskType
from adaptkit.task_types.columns import SHARED
from adaptkit.terminal.asking import as_typed


def recognise(
    file: str | Path, number: int, row: Row, task_type: str | None, named: Columns
) -> tuple[AnyTaskType, Columns]:
    """Find the task type, unless it is given, and the column of each role; `named` are those that the caller named.

    Raises:
        ConfigError: a role that no task type, or not this one, has.
        MalformedText: the row has no such columns.

    """
    types = list(TASK_TYPES.values()) if task_type is None else [TASK_TYPES.require(task_type)]
    candidates = [kind for kind in types if named.keys() <= {*kind.columns, *SHARED}]
    if not candidates:
        roles = dict.fromkeys(role for kind in types for role in (*kind.columns, *SHARED))
        raise ConfigError(
            f"no task of {', '.join(kind.name for kind in types)} has columns for {', '.join(named)}. "
            f"{as_typed(columns=...)} names the column of a role, and the roles there are {', '.join(roles)}: for a "
            f"column `place` of groups, {as_typed(columns={'group': 'place'})}."
        )
    if absent := [column for column in named.values() if column not in row]:
        quoted = f'"{absent[0]}"' in row
        hint = f"; the names stand in quotes: {as_typed(quoted=True)}" if quoted else ""
        raise MalformedText(
            file, number, _found(row), f"a column {absent[0]!r}, as {as_typed(columns=...)} names it{hint}"
        )
    for kind in candidates:
        columns = _columns(row, kind, named)
        if not _missing(kind, columns):
            return kind, columns
    raise MalformedText(file, number, _found(row), _expected(candidates, row, named))


def _columns(row: Row, kind: AnyTaskType, named: Columns) -> Columns:
    by_name: dict[str, str] = {}
    for column in row:
        by_name.setdefault(column.strip().lower(), column)
    found = {
        role: by_name[name]
        for role, names in {**kind.columns, **SHARED}.items()
        if (name := next((name for name in names if name in by_name), None))
    }
    return {**found, **named}


def _missing(kind: AnyTaskType, columns: Columns) -> list[str]:
    return [role for role in kind.columns if role not in kind.optional and role not in columns]


def _found(row: Row) -> str:
    """Name the columns, cut short: where line 1 is no header, they are somebody's sentences."""
    return f"the columns {', '.join(f'{column:.24}' for column in row)} (is line 1 a header?)"


def _expected(candidates: Sequence[AnyTaskType], row: Row, named: Columns) -> str:
    if len(candidates) == 1:
        (kind,) = candidates
        missing = _missing(kind, _columns(row, kind, named))
        names = (f"{role} ({' or '.join(kind.columns[role])})" for role in missing)
        wanted = f"also a column for {', '.join(names)}"
    else:
        wanted = "the columns of a task, such as text and label, or question, context and answers"
    return f"{wanted}; or name them: {as_typed(columns={'text': ..., 'label': ...})}"
