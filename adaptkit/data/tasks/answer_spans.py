"""The answers to a question on a context, in the shapes that publishers give them."""

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from adaptkit.data.letters import NormalForm, normalized, respelled
from adaptkit.data.tasks.written_lists import BadList, looks_written, written_value

Answer: TypeAlias = tuple[str, int]

NO_ANSWER = "ANSWERNOTFOUND"
"""SubjQA's mark for a question that the review does not answer; it stands at the end of the review, too."""


_FORMS: tuple[NormalForm, ...] = ("NFC", "NFD")


class BadAnswers(ValueError):
    """Answers in no known shape; the message is what was found."""


def context_of(text: str) -> str:
    """Give a context without SubjQA's mark at its end."""
    return text.removesuffix(NO_ANSWER).rstrip() if text.endswith(NO_ANSWER) else text


def stated_answers(answers: object, starts: object = None) -> list[Answer]:
    """Give `(text, start)` for each answer, as stated; none for a question without an answer.

    Shapes: SQuAD's list of `{"text": ..., "answer_start": ...}`, the hub's `{"text": [...], "answer_start": [...]}`,
    or one text, whose start is the first number in `starts` (SubjQA writes `(235, 249)`), else 0.

    Raises:
        BadAnswers: another shape.

    """
    if isinstance(answers, str) and looks_written(answers, objects=True):
        try:
            answers = written_value(answers)
        except BadList as error:
            raise BadAnswers(str(error)) from error
    if isinstance(answers, list | tuple) and answers and all(isinstance(text, str) for text in answers):
        return list(zip(answers, _numbers(starts, len(answers)), strict=True))
    if isinstance(answers, str):
        return [] if answers.strip() == NO_ANSWER else [(answers, _first_number(starts))]
    return [_checked(text, start) for text, start in _listed(answers)]


def located(context: str, answers: Sequence[Answer]) -> list[Answer]:
    """Keep the answers that occur in the context, each at the occurrence nearest to its stated start.

    An answer in another normal form than its context is found too, and given as the context spells it.
    """
    found = (_placed(context, text, max(start, 0)) for text, start in answers)
    return [answer for answer in found if answer is not None]


def _listed(answers: object) -> Iterator[tuple[object, object]]:
    if isinstance(answers, dict):
        texts, starts = answers.get("text"), answers.get("answer_start")
        if not isinstance(texts, list | tuple) or not isinstance(starts, list | tuple) or len(texts) != len(starts):
            raise BadAnswers("answers without as many starts as texts")
        yield from zip(texts, starts, strict=True)
        return
    if not isinstance(answers, list | tuple):
        raise BadAnswers(f"answers of type {type(answers).__name__}")
    for answer in answers:
        if not isinstance(answer, dict) or not {"text", "answer_start"} <= answer.keys():
            raise BadAnswers("an answer without text or answer_start")
        yield answer["text"], answer["answer_start"]


def _checked(text: object, start: object) -> Answer:
    if not isinstance(text, str) or not isinstance(start, int) or isinstance(start, bool):
        raise BadAnswers(f"an answer of type {type(text).__name__} with a start of type {type(start).__name__}")
    return text, start


def _numbers(starts: object, count: int) -> list[int]:
    """As many starts as texts, else 0 for each: the text is looked for."""
    found = [int(number) for number in re.findall(r"\d{1,9}", str(starts))]
    return found if len(found) == count else [0] * count


def _first_number(starts: object) -> int:
    match = re.search(r"\d{1,9}", str(starts))
    return int(match[0]) if match else 0


def _placed(context: str, text: str, start: int) -> Answer | None:
    if not text.strip():
        return None
    if context.startswith(text, start):
        return text, start
    if (found := _counted_in_another_form(context, text, start)) is not None:
        return found
    if (place := _nearest(context, text, start)) is not None:
        return text, place
    return _in_another_form(context, text, start)


def _counted_in_another_form(context: str, text: str, start: int) -> Answer | None:
    """The answer where its start is right for the context in another form: somebody normalised texts, not numbers."""
    for form in _FORMS:
        other, wanted = respelled(context, form), normalized(text, form)
        if other.text.startswith(wanted, start) and (span := other.original(start, start + len(wanted))):
            return context[slice(*span)], span[0]
    return None


def _in_another_form(context: str, text: str, start: int) -> Answer | None:
    """The nearest piece of the context that is the answer but for the form."""
    (form, *_) = _FORMS
    other, wanted = respelled(context, form), normalized(text, form)
    spans = (other.original(match.start(), match.end()) for match in re.finditer(re.escape(wanted), other.text))
    found = min(filter(None, spans), key=lambda span: abs(span[0] - start), default=None)
    return None if found is None else (context[slice(*found)], found[0])


def _nearest(context: str, text: str, start: int) -> int | None:
    before, after = context.rfind(text, 0, start + len(text)), context.find(text, start)
    places = [place for place in (before, after) if place >= 0]
    return min(places, key=lambda place: abs(place - start), default=None)
