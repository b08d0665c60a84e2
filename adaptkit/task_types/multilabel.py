"""A text, or a pair of texts, and any number of labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from adaptkit.data.tasks import TaskData
from adaptkit.data.tasks.label_rules import Dropped, LabelRules, about, label_of, sequence_of
from adaptkit.data.tasks.labelled_row import LabelledRow
from adaptkit.data.tasks.written_lists import looks_written
from adaptkit.later import later
from adaptkit.scores import LabelSetF1
from adaptkit.task_types.classes import Classes
from adaptkit.task_types.classification import FORMS_OF_TEXT, form
from adaptkit.task_types.columns import SECOND
from adaptkit.task_types.head_fields import HeadFields
from adaptkit.task_types.item import Item
from adaptkit.task_types.means import mean_by_name
from adaptkit.task_types.plain_texts import plain_texts
from adaptkit.task_types.task_metric import TaskMetric
from adaptkit.task_types.task_type import TaskType
from adaptkit.task_types.tensor_shapes import one_per_label, sentence_head

_LEAST_PROBABILITY = 0.5
BETWEEN_LABELS = "|"
"""What stands between the labels in a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextWithLabels:
    """A text, or a pair of texts, with any number of labels, also none."""

    text: str
    pair: str | None = None
    labels: tuple[str, ...]
    language: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class PredictedLabels:
    """The labels with a probability of at least 0.5, and the probability of each; they need not sum to 1."""

    labels: tuple[str, ...]
    probabilities: Mapping[str, float]

    @classmethod
    def of(cls, probabilities: Mapping[str, float]) -> Self:
        """The labels that are probable enough."""
        labels = tuple(label for label, share in probabilities.items() if share >= _LEAST_PROBABILITY)
        return cls(labels, probabilities)

    @classmethod
    def averaged(cls, answers: "Sequence[PredictedLabels]") -> Self:
        """What several say of one text, by the means of their probabilities."""
        return cls.of(mean_by_name([answer.probabilities for answer in answers]))


def _make(row: LabelledRow, rules: LabelRules, dropped: Dropped) -> TextWithLabels | None:
    """No labels are an empty list or cell; a row with nothing for one of its labels, or null for all, is left out."""
    value = row.value("labels")
    read = [None] if value is None else [label_of(row, rules, each) for each in _listed(row, value)]
    labels = tuple(dict.fromkeys(label for label in read if label is not None))
    if None in read:
        dropped["without a label"] += 1
        return None
    pair = row.text("pair").strip() if "pair" in row.columns else None
    language, group = about(row)
    return TextWithLabels(text=row.text("text").strip(), pair=pair, labels=labels, language=language, group=group)


def _listed(row: LabelledRow, value: object) -> Sequence[object]:
    """The labels of a row: a list, one written as text, or a cell with bars between them."""
    if isinstance(value, str) and not looks_written(value):
        return [each for each in value.split(BETWEEN_LABELS) if each.strip()]
    return [value] if isinstance(value, int | float) else sequence_of(row, "labels")


def _plain(_: int, given: object) -> TextWithLabels | None:
    if one := plain_texts(given, 1):
        return TextWithLabels(text=one[0], labels=())
    pair = plain_texts(given, 2)
    return TextWithLabels(text=pair[0], pair=pair[1], labels=()) if pair else None


def _head_fields(data: TaskData) -> Mapping[str, object]:
    return {"pairs": any(isinstance(each, TextWithLabels) and each.pair is not None for each in data.examples)}


def targets_of(head: HeadFields, labels: Sequence[str]) -> tuple[int, ...]:
    """Twice each label's number, and 1 more where the text has it.

    So that what is held out can leave some with a label and some without it to train on.
    """
    return tuple(2 * number + (label in labels) for number, label in enumerate(head.labels))


def _constant_loss(items: Sequence[Item]) -> float:
    """The mean over labels of the entropy of whether a text has it."""
    shares = np.mean([[number % 2 for number in item.target] for item in items], axis=0)
    sides = np.stack([shares, 1 - shares])
    return float(-(sides * np.log(np.where(sides > 0, sides, 1))).sum(axis=0).mean())


def _f1(head: HeadFields, average: Literal["micro", "macro"]) -> TaskMetric[PredictedLabels, TextWithLabels]:
    return TaskMetric(
        LabelSetF1(head.labels, average), lambda prediction: prediction.labels, lambda example: example.labels
    )


MULTILABEL = TaskType(
    name="multilabel",
    hub_task="text-classification",
    example=TextWithLabels,
    columns={"text": FORMS_OF_TEXT, "pair": SECOND, "labels": ("labels",)},
    optional=frozenset({"pair"}),
    make=_make,
    plain=_plain,
    plain_form="a text, or a pair of texts",
    texts=("text", "pair"),
    labels=("labels",),
    blank={"labels": ()},
    least_labels=1,
    reads_glosses=True,
    averaged=PredictedLabels.averaged,
    head_fields=_head_fields,
    form=form,
    metrics={"micro F1": lambda head, *_: _f1(head, "micro"), "macro F1": lambda head, *_: _f1(head, "macro")},
    default_metrics=("micro F1", "macro F1"),
    classes=Classes(metric=lambda head, *_: _f1(head, "macro")),
    constant_loss=_constant_loss,
    no_pipeline="those of texts give one label",
    tensors=sentence_head(one_per_label),
    upper=later("adaptkit.heads.multilabel", "Multilabel"),
)
