"""Inputs of a head as a shell gives them, and values as lines of JSON."""

import json
from collections.abc import Mapping

from adaptkit.errors import ConfigError
from adaptkit.task_types import AnyTaskType
from adaptkit.terminal.plain_text import printable


def input_of(task_type: AnyTaskType, line: str) -> object:
    """A JSON value as it is; else what the task type makes of the line.

    Raises:
        ConfigError: An empty line, or broken JSON.
    """
    if not line.strip():
        raise ConfigError("it is empty; predictions are printed line by line, so remove it.")
    if line[:1] in '[{"':
        try:
            return json.loads(line)
        except ValueError as error:
            raise ConfigError(f"it is broken JSON ({error}): {line[:80]}") from error
    return task_type.of_line(line)


def json_line(value: object) -> str:
    """JSON that a person can read; what a terminal would obey is written as a number, which is the same JSON."""
    text = json.dumps(_plain(value), ensure_ascii=False)
    return "".join(sign if sign == printable(sign) else json.dumps(sign)[1:-1] for sign in text)


def _plain(value: object) -> object:
    fields = getattr(value, "__dataclass_fields__", None)
    if fields is not None:
        return {name: _plain(getattr(value, name)) for name in fields}
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, tuple | list) else value
