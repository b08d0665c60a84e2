"""Inputs of a head as a shell gives them, and values as lines of JSON."""

import json

from adaptkit.errors import ConfigError
from adaptkit.task_types import AnyTaskType
from adaptkit.terminal.json_values import as_json
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
    """JSON that a person can read; what a terminal would obey is written as a number, which is the same JSON.

    A number that is none (NaN) or has no end is null.
    """
    text = json.dumps(as_json(value), ensure_ascii=False, allow_nan=False)
    return "".join(sign if sign == printable(sign) else json.dumps(sign)[1:-1] for sign in text)
