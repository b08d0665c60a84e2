"""The scores of a task, by their names."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from adaptkit.data.tasks import Example
from adaptkit.errors import ConfigError
from adaptkit.task_types import HeadConfig, TaskMetric

AnyTaskMetric: TypeAlias = TaskMetric[Any, Any]


def task_metrics(
    names: Sequence[str], head: HeadConfig, language: str, examples: Sequence[Example]
) -> dict[str, AnyTaskMetric]:
    """The metrics of these names for a head's predictions of examples in a language.

    Raises:
        ConfigError: A metric that the task type does not have.
    """
    known = head.row.metrics
    if unknown := next((name for name in names if name not in known), None):
        raise ConfigError(f"metric {unknown!r} is unknown for {head.task_type}; known: {', '.join(known)}.")
    return {name: known[name](head, language, examples) for name in names}
