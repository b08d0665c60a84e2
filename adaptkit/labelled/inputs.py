"""What a caller wants predicted, written plainly, as examples without labels."""

from collections.abc import Sequence
from typing import Any

from adaptkit.data.tasks import Example
from adaptkit.errors import ConfigError
from adaptkit.labelled.spelling import check_filled, check_texts
from adaptkit.task_types import TASK_TYPES, is_example, type_of
from adaptkit.terminal.amounts import row_of


def examples_of(task_type: str, inputs: Sequence[Any], places: Sequence[str] = ()) -> list[Example]:
    """Examples of plain inputs; an example is taken as it is. `places` say where each stands, else its row does.

    Raises:
        ConfigError: An input of another form, or an empty text in it; it says where and what would be right.
    """
    if isinstance(inputs, str):
        raise ConfigError(f"inputs are a list, found one string; write [{inputs[:40]!r}].")
    row = TASK_TYPES.require(task_type)
    examples: list[Example] = []
    for number, given in enumerate(inputs):
        where = places[number] if places else row_of(number, "inputs")
        example = given if is_example(given) else row.plain(number, given)
        if example is None:
            raise ConfigError(f"{where} is {given!r:.120}; for {task_type}, an input is {row.plain_form}.")
        check_texts(where, example)
        check_filled(where, example)
        examples.append(example)
    return examples


def without_label(example: Example) -> Example:
    """The example as one that nobody has labelled, so that a label that the head does not know is no error."""
    blank: Example = type_of(example).without_label(example)
    return blank
