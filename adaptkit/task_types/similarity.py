"""Two sentences and how close they are in meaning."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from adaptkit.data.tasks.label_rules import Dropped, LabelRules, about
from adaptkit.data.tasks.labelled_row import LabelledRow
from adaptkit.later import later
from adaptkit.scores import PearsonCorrelation
from adaptkit.task_types.columns import FIRST, SECOND
from adaptkit.task_types.head_fields import HeadFields
from adaptkit.task_types.plain_texts import plain_texts
from adaptkit.task_types.task_metric import TaskMetric
from adaptkit.task_types.task_type import TaskType
from adaptkit.task_types.tensor_shapes import no_tensors


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarPair:
    """Two sentences and how close they are in meaning, from 0 to 1."""

    first: str
    second: str
    score: float
    language: str | None = None
    group: str | None = None


def score_of(row: LabelledRow, rules: LabelRules) -> float:
    """The score of a row, from 0 for the lowest to 1 for the highest that there may be.

    Raises:
        MalformedText: One beyond those, or no number.
    """
    low, high = rules.score_range
    score = row.number_of("score")
    if not low <= score <= high:
        raise row.wrong(f"a score of {score:g}", f"{low:g} to {high:g} (another range: score_range=(low, high))")
    return (score - low) / (high - low)


def _make(row: LabelledRow, rules: LabelRules, _: Dropped) -> SimilarPair:
    score = score_of(row, rules)
    language, group = about(row)
    first, second = row.text("first").strip(), row.text("second").strip()
    return SimilarPair(first=first, second=second, score=score, language=language, group=group)


def _plain(_: int, given: object) -> SimilarPair | None:
    pair = plain_texts(given, 2)
    return SimilarPair(first=pair[0], second=pair[1], score=math.nan) if pair else None


def _pearson(_: HeadFields, __: str, ___: Sequence[SimilarPair]) -> TaskMetric[float, SimilarPair]:
    return TaskMetric(PearsonCorrelation(), float, lambda example: float(example.score))


SIMILARITY = TaskType(
    name="similarity",
    hub_task="sentence-similarity",
    example=SimilarPair,
    columns={
        "first": (*FIRST, "text"),
        "second": SECOND,
        "score": ("score", "similarity", "relatedness_score", "label"),
    },
    make=_make,
    plain=_plain,
    plain_form="a pair of texts",
    texts=("first", "second"),
    blank={"score": math.nan},
    metrics={"Pearson correlation": _pearson},
    right_or_wrong=False,
    averaged=fmean,
    default_metrics=("Pearson correlation",),
    tensors=no_tensors,
    upper=later("adaptkit.heads.similarity", "Similarity"),
)
