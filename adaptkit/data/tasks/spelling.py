"""The texts of examples, and examples in a normal form of Unicode, with the starts of their answers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from adaptkit.data.columns import fault_of
from adaptkit.data.letters import NormalForm, normalized, respelled
from adaptkit.data.tasks.answers import located
from adaptkit.data.tasks.examples import (
    Example,
    LabelledText,
    MultipleChoice,
    Question,
    SimilarPair,
    TaggedSentence,
    TaskData,
)
from adaptkit.errors import ConfigError


def texts_of(example: Example) -> Iterator[str]:
    """What a model reads of an example; the words of a sentence as one text."""
    match example:
        case LabelledText():
            yield from filter(None, (example.text, example.pair))
        case TaggedSentence():
            yield " ".join(example.words)
        case Question():
            yield from (example.question, example.context)
        case MultipleChoice():
            yield from (example.prompt, *example.choices)
        case SimilarPair():
            yield from (example.first, example.second)


def check_texts(where: str, example: Example, *, labelled: bool = False) -> None:
    """Refuse an example whose texts (and labels, where they count) are not all text.

    Raises:
        ConfigError: None, NaN, another type, or half a surrogate pair; it names the field and the place in it.

    """
    named = _LABELS if labelled else {}
    for name in (*_TEXTS[type(example)], *named.get(type(example), ())):
        value = getattr(example, name)
        several = isinstance(value, tuple | list)
        for number, text in enumerate(value if several else (value,)):
            if not (name == "pair" and text is None) and (fault := fault_of(text)):
                place = f"{name}[{number}]" if several else name
                raise ConfigError(f"{where}: {place} is {fault}; give text (str), or leave the example out.")


def checked_data(data: TaskData) -> TaskData:
    """Give data that somebody put together back if its texts and labels are text.

    Raises:
        ConfigError: as `check_texts`.

    """
    for number, example in enumerate(data.examples):
        check_texts(f"example {number}", example, labelled=True)
    return data


def settled(example: Example) -> Example:
    """An example as if it had been read from a file: labels in NFC, answers as the context spells them.

    Answers that are not in their context stay as they are.
    """
    match example:
        case LabelledText():
            return replace(example, label=normalized(example.label, "NFC"))
        case TaggedSentence():
            return replace(example, tags=tuple(normalized(tag, "NFC") for tag in example.tags))
        case Question():
            return replace(example, answers=tuple(located(example.context, example.answers)) or example.answers)
    return example


def normalized_data(data: TaskData, form: NormalForm | None) -> TaskData:
    """The data with texts, labels and answers in a normal form; None leaves it as it is."""
    if form is None:
        return data
    return replace(
        data,
        examples=[_MAKERS[type(example)](example, form) for example in data.examples],
        labels=tuple(dict.fromkeys(normalized(label, form) for label in data.labels)),
    )


def _with_texts(names: tuple[str, ...], example: Any, form: NormalForm) -> Any:  # noqa: ANN401 - an example of any type
    return replace(example, **{name: _in_form(getattr(example, name), form) for name in names})


def _in_form(value: Any, form: NormalForm) -> Any:  # noqa: ANN401 - a text, several, or none
    if isinstance(value, tuple):
        return tuple(normalized(text, form) for text in value)
    return value if value is None else normalized(value, form)


def _question(example: Question, form: NormalForm) -> Question:
    context = respelled(example.context, form)
    spans = [
        context.here(start, start + len(text.rstrip())) for text, start in located(example.context, example.answers)
    ]
    answers = tuple((context.text[start:end], start) for start, end in spans)
    # Answers that are nowhere in their context stay, so that the question is no unanswerable one.
    return replace(
        example,
        question=normalized(example.question, form),
        context=context.text,
        answers=answers or example.answers,
    )


_TEXTS: Mapping[type, tuple[str, ...]] = {
    LabelledText: ("text", "pair"),
    TaggedSentence: ("words",),
    Question: ("question", "context"),
    MultipleChoice: ("prompt", "choices"),
    SimilarPair: ("first", "second"),
}
_LABELS: Mapping[type, tuple[str, ...]] = {LabelledText: ("label",), TaggedSentence: ("tags",)}
_MAKERS: Mapping[type, Callable[[Any, NormalForm], Any]] = {
    LabelledText: partial(_with_texts, ("text", "pair", "label")),
    TaggedSentence: partial(_with_texts, ("words", "tags")),
    Question: _question,
    MultipleChoice: partial(_with_texts, ("prompt", "choices")),
    SimilarPair: partial(_with_texts, ("first", "second")),
}
