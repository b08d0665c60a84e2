"""A prompt and the choices that may go with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Self

from adaptkit.data.tasks.label_rules import Dropped, LabelRules, about
from adaptkit.data.tasks.labelled_row import LabelledRow
from adaptkit.later import later
from adaptkit.scores import Accuracy
from adaptkit.task_types.head_fields import HeadFields
from adaptkit.task_types.task_metric import TaskMetric
from adaptkit.task_types.task_type import TaskType
from adaptkit.task_types.tensor_shapes import sentence_head

_ASKED: Mapping[str, str] = {"cause": "What was the cause?", "effect": "What was the effect?"}
_CHOICES = ("first", "second")


@dataclass(frozen=True, slots=True, kw_only=True)
class MultipleChoice:
    """A prompt (for XCOPA with its question of cause or effect) and choices, of which number `answer` is right."""

    prompt: str
    choices: tuple[str, ...]
    answer: int
    language: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class PredictedChoice:
    """The number of the choice with the largest probability, and the probability of each."""

    choice: int
    probabilities: tuple[float, ...]

    @classmethod
    def of(cls, probabilities: Sequence[float]) -> Self:
        """The first choice of the largest."""
        return cls(max(range(len(probabilities)), key=probabilities.__getitem__), tuple(probabilities))

    @classmethod
    def averaged(cls, answers: "Sequence[PredictedChoice]") -> Self:
        """What several say of one prompt, by the means of their probabilities."""
        return cls.of([fmean(each) for each in zip(*(answer.probabilities for answer in answers), strict=True)])


def _make(row: LabelledRow, _: LabelRules, dropped: Dropped) -> MultipleChoice | None:
    """XCOPA's word for cause or effect becomes a question."""
    answer = row.number_of("answer")
    if answer == -1:
        dropped["without a label"] += 1
        return None
    if answer not in (0, 1):
        raise row.wrong(f"{answer:g} as the right choice", "0 for the first or 1 for the second")
    language, group = about(row)
    choices = tuple(row.text(role).strip() for role in _CHOICES)
    return MultipleChoice(prompt=_prompt(row), choices=choices, answer=int(answer), language=language, group=group)


def _prompt(row: LabelledRow) -> str:
    premise = row.text("prompt").strip()
    if not row.has("question"):
        return premise
    asked = row.text("question").strip()
    if asked not in _ASKED:
        raise row.wrong(f"{asked!r:.40} as the question", "cause or effect")
    return f"{premise} {_ASKED[asked]}"


def _plain(_: int, given: object) -> MultipleChoice | None:
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != 2:
        return None
    prompt, choices = given
    if not isinstance(prompt, str) or isinstance(choices, str) or len(choices) < 2:
        return None
    return MultipleChoice(prompt=prompt, choices=tuple(choices), answer=-1)


def _accuracy(_: HeadFields, __: str, ___: Sequence[MultipleChoice]) -> TaskMetric[PredictedChoice, MultipleChoice]:
    return TaskMetric(Accuracy(), lambda prediction: str(prediction.choice), lambda example: str(example.answer))


CHOICE = TaskType(
    name="choice",
    hub_task="multiple-choice",
    example=MultipleChoice,
    columns={
        "prompt": ("premise", "prompt"),
        "first": ("choice1",),
        "second": ("choice2",),
        "answer": ("label", "answer"),
        "question": ("question",),
    },
    optional=frozenset({"question"}),
    make=_make,
    plain=_plain,
    plain_form="(prompt, list of choices)",
    texts=("prompt", "choices"),
    blank={"answer": -1},
    by_words=False,
    averaged=PredictedChoice.averaged,
    metrics={"accuracy": _accuracy},
    default_metrics=("accuracy",),
    tensors=sentence_head(lambda _: 1),
    upper=later("adaptkit.heads.choice", "Choice"),
)
