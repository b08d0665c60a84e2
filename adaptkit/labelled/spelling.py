"""The texts of examples, and examples in a normal form of Unicode, with the starts of their answers."""

from collections.abc import Iterator
from dataclasses import replace

from adaptkit.data.columns import fault_of
from adaptkit.data.letters import NormalForm, normalized
from adaptkit.data.tasks import Example, TaskData
from adaptkit.errors import ConfigError
from adaptkit.task_types import type_of
from adaptkit.terminal.amounts import row_of


def texts_of(example: Example) -> Iterator[str]:
    """What a model reads of an example; the words of a sentence as one text."""
    return type_of(example).texts_of(example)


def check_texts(where: str, example: Example, *, labelled: bool = False) -> None:
    """Refuse an example whose texts (and labels, where they count) are not all text.

    Raises:
        ConfigError: None, NaN, another type, or half a surrogate pair; it names the field and the place in it.

    """
    row = type_of(example)
    for name in (*row.texts, *(row.labels if labelled else ())):
        value = getattr(example, name)
        several = isinstance(value, tuple | list)
        for number, text in enumerate(value if several else (value,)):
            if not (name == "pair" and text is None) and (fault := fault_of(text)):
                place = f"{name}[{number}]" if several else name
                raise ConfigError(f"{where}: {place} is {fault}; give text (str), or leave the example out.")


def check_filled(where: str, example: Example) -> None:
    """Refuse an example with an empty text, about which there is nothing to answer; a single text needs no pair.

    Raises:
        ConfigError: It names the field.
    """
    row = type_of(example)
    for name in row.texts:
        value = getattr(example, name)
        texts = value if isinstance(value, tuple | list) else (value,)
        if name in row.blank or (name == "pair" and value is None):
            continue
        if not texts or not all(text.strip() for text in texts):
            raise ConfigError(f"{where}: {name} is empty, or has an empty part; give text, or leave the row out.")


def checked_data(data: TaskData) -> TaskData:
    """Give data that somebody put together back if its texts and labels are text.

    Raises:
        ConfigError: as `check_texts`.

    """
    for number, example in enumerate(data.examples):
        check_texts(row_of(number, "examples"), example, labelled=True)
    return data


def normalized_data(data: TaskData, form: NormalForm | None) -> TaskData:
    """The data with texts, labels and answers in a normal form; None leaves it as it is."""
    if form is None:
        return data
    return replace(
        data,
        examples=[type_of(example).in_form(example, form) for example in data.examples],
        labels=tuple(dict.fromkeys(normalized(label, form) for label in data.labels)),
    )
