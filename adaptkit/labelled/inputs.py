"""What a caller wants predicted, written plainly, as examples without labels."""

from collections.abc import Sequence
from typing import Any

from adaptkit.data.tasks import Example
from adaptkit.errors import ConfigError
from adaptkit.labelled.spelling import check_texts
from adaptkit.task_types import TASK_TYPES, is_example, type_of


def require_list(inputs: Sequence[Any]) -> None:
    """Refuse one string, which would be taken letter by letter.

    Raises:
        ConfigError: It is one.
    """
    if isinstance(inputs, str):
        raise ConfigError(f"predict takes a list of inputs, found one string; write predict([{inputs[:40]!r}]).")


def examples_of(task_type: str, inputs: Sequence[Any]) -> list[Example]:
    """Examples of plain inputs; an example is taken as it is.

    Raises:
        ConfigError: An input of another form; it says which and what would be right.
    """
    require_list(inputs)
    row = TASK_TYPES.require(task_type)
    examples: list[Example] = []
    for number, given in enumerate(inputs):
        example = given if is_example(given) else row.plain(number, given)
        if example is None:
            raise ConfigError(f"input {number} is {given!r:.120}; for {task_type}, an input is {row.plain_form}.")
        check_texts(f"input {number}", example)
        examples.append(example)
    return examples


def without_label(example: Example) -> Example:
    """The example as one that nobody has labelled, so that a label that the head does not know is no error."""
    blank: Example = type_of(example).without_label(example)
    return blank
