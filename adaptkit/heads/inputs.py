"""What a caller wants predicted, written plainly, as examples without labels."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adaptkit.config import TaskType
from adaptkit.data.tasks import Example, LabelledText, MultipleChoice, Question, SimilarPair, TaggedSentence
from adaptkit.data.tasks.spelling import check_texts
from adaptkit.errors import ConfigError


def require_list(inputs: Sequence[Any]) -> None:
    """Refuse one string, which would be taken letter by letter.

    Raises:
        ConfigError: It is one.
    """
    if isinstance(inputs, str):
        raise ConfigError(f"predict takes a list of inputs, found one string; write predict([{inputs[:40]!r}]).")


def examples_of(task_type: TaskType, inputs: Sequence[Any]) -> list[Example]:
    """Examples of plain inputs; an example is taken as it is.

    | task type | an input |
    |---|---|
    | classification | a text, or a pair of texts |
    | tagging | a list of words |
    | qa | (question, context) |
    | choice | (prompt, list of choices) |
    | similarity | a pair of texts |

    Raises:
        ConfigError: An input of another form; it says which and what would be right.
    """
    require_list(inputs)
    make, expected = _FORMS[task_type]
    examples: list[Example] = []
    for number, given in enumerate(inputs):
        example = given if isinstance(given, _EXAMPLES) else make(number, given)
        if example is None:
            raise ConfigError(f"input {number} is {given!r:.120}; for {task_type}, an input is {expected}.")
        check_texts(f"input {number}", example)
        examples.append(example)
    return examples


def without_label(example: Example) -> Example:
    """The example as one that nobody has labelled, so that a label that the head does not know is no error."""
    return replace(example, **_BLANKS[type(example)])


_BLANKS: Mapping[type, Mapping[str, Any]] = {
    LabelledText: {"label": ""},
    TaggedSentence: {"tags": ()},
    Question: {"answers": ()},
    MultipleChoice: {"answer": -1},
    SimilarPair: {"score": math.nan},
}
_EXAMPLES = (LabelledText, TaggedSentence, Question, MultipleChoice, SimilarPair)


def _texts(given: object, count: int) -> tuple[str, ...] | None:
    parts = (given,) if isinstance(given, str) else given
    if isinstance(parts, Sequence) and len(parts) == count and all(isinstance(part, str) for part in parts):
        return tuple(parts)
    return None


def _text_or_pair(_: int, given: object) -> Example | None:
    if one := _texts(given, 1):
        return LabelledText(text=one[0], label="")
    pair = _texts(given, 2)
    return LabelledText(text=pair[0], pair=pair[1], label="") if pair else None


def _words(_: int, given: object) -> Example | None:
    if isinstance(given, str) or not isinstance(given, Sequence) or not all(isinstance(word, str) for word in given):
        return None
    return TaggedSentence(words=tuple(given), tags=())


def _question(number: int, given: object) -> Example | None:
    pair = _texts(given, 2)
    return Question(id=str(number), question=pair[0], context=pair[1], answers=()) if pair else None


def _choices(_: int, given: object) -> Example | None:
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != 2:
        return None
    prompt, choices = given
    if not isinstance(prompt, str) or isinstance(choices, str) or len(choices) < 2:
        return None
    return MultipleChoice(prompt=prompt, choices=tuple(choices), answer=-1)


def _pair(_: int, given: object) -> Example | None:
    pair = _texts(given, 2)
    return SimilarPair(first=pair[0], second=pair[1], score=math.nan) if pair else None


_FORMS: Mapping[TaskType, tuple[Callable[[int, Any], Example | None], str]] = {
    "classification": (_text_or_pair, "a text, or a pair of texts"),
    "tagging": (_words, "a list of words"),
    "qa": (_question, "(question, context)"),
    "choice": (_choices, "(prompt, list of choices)"),
    "similarity": (_pair, "a pair of texts"),
}
