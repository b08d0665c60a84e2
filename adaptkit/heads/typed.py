"""Examples of the type that a task takes."""

from collections.abc import Sequence
from typing import TypeVar

from adaptkit.data.tasks import Example
from adaptkit.errors import ConfigError

Wanted = TypeVar("Wanted", bound=Example)


def of_type(kind: type[Wanted], examples: Sequence[Example]) -> list[Wanted]:
    """The same examples, all of this type.

    Raises:
        ConfigError: One of them is of another type.
    """
    chosen: list[Wanted] = [example for example in examples if isinstance(example, kind)]
    if len(chosen) < len(examples):
        other = next(example for example in examples if not isinstance(example, kind))
        raise ConfigError(f"this task takes {kind.__name__} examples, found a {type(other).__name__}.")
    return chosen
