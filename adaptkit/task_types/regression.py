"""A text and its score."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from adaptkit.data.tasks.label_rules import Dropped, LabelRules, about
from adaptkit.data.tasks.labelled_row import LabelledRow
from adaptkit.later import later
from adaptkit.scores import Closeness, Metric, PearsonCorrelation
from adaptkit.task_types.classification import FORMS_OF_TEXT
from adaptkit.task_types.head_fields import HeadFields
from adaptkit.task_types.item import Item
from adaptkit.task_types.plain_texts import plain_texts
from adaptkit.task_types.similarity import score_of
from adaptkit.task_types.task_metric import TaskMetric
from adaptkit.task_types.task_type import TaskType
from adaptkit.task_types.tensor_shapes import sentence_head


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredText:
    """A text and its score, from 0 to 1."""

    text: str
    score: float
    language: str | None = None
    group: str | None = None


def _make(row: LabelledRow, rules: LabelRules, _: Dropped) -> ScoredText:
    score, (language, group) = score_of(row, rules), about(row)
    return ScoredText(text=row.text("text").strip(), score=score, language=language, group=group)


def _plain(_: int, given: object) -> ScoredText | None:
    one = plain_texts(given, 1)
    return ScoredText(text=one[0], score=math.nan) if one else None


def _form(_: HeadFields) -> str:
    """A second text whose column was not recognised is missed here."""
    return " (single texts)"


def _constant_loss(items: Sequence[Item]) -> float:
    """The variance of the scores."""
    return float(np.var([item.target[0] for item in items]))


def _scored(metric: Metric[float, float]) -> TaskMetric[float, ScoredText]:
    return TaskMetric(metric, float, lambda example: float(example.score))


REGRESSION = TaskType(
    name="regression",
    hub_task="text-classification",
    example=ScoredText,
    columns={"text": FORMS_OF_TEXT, "score": ("score",)},
    make=_make,
    plain=_plain,
    plain_form="a text",
    texts=("text",),
    blank={"score": math.nan},
    form=_form,
    constant_loss=_constant_loss,
    # Spearman's correlation is that of ranks, which are no sums over examples.
    metrics={
        "Pearson correlation": lambda *_: _scored(PearsonCorrelation()),
        "closeness": lambda *_: _scored(Closeness()),
    },
    right_or_wrong=False,
    reads_glosses=True,
    averaged=fmean,
    default_metrics=("Pearson correlation", "closeness"),
    tensors=sentence_head(lambda _: 1),
    upper=later("adaptkit.heads.regression", "Regression"),
)
