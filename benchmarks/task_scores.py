"""A task adapter's answers on a test, scored so that two can be compared example by example."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

import adaptkit
from adaptkit import AdaptedModel, Adapter
from adaptkit.composition import at_strength
from adaptkit.data.tasks import TaskData
from adaptkit.evaluation.attached import attached
from adaptkit.evaluation.metrics import task_metrics
from adaptkit.scores import paired_metric_difference

ENTITY_F1 = "entity F1"


class Score:
    """What a run answered, as its metric sums it."""

    def __init__(self, statistics: NDArray[np.float64], metric: Any) -> None:  # noqa: ANN401 - the package's metrics have none in common
        self.statistics = statistics
        self.metric = metric

    @property
    def score(self) -> float:
        return float(self.metric.score(self.statistics.sum(axis=0)))


def answered(
    model: AdaptedModel, task: Adapter, below: Sequence[Adapter], test: TaskData, *, strength: float = 1
) -> list[Any]:
    """By a task adapter, alone or with others below it, which act with that strength."""
    with attached(model, *below, task):
        stack = adaptkit.Stack(*(at_strength(adapter.id, strength) for adapter in below), task.id)
        return model.predict(test.examples, stack=stack, batch_size=64)


def together(task: Adapter, answers: Sequence[Sequence[Any]]) -> list[Any] | None:
    """The answers of an ensemble, of those of its members; None where they have no mean."""
    assert task.config.head is not None
    mean = task.config.head.row.averaged
    return None if mean is None else [mean(each) for each in zip(*answers, strict=True)]


def score_of(answers: Sequence[Any], task: Adapter, test: TaskData, metric: str) -> Score:
    """Of answers to a test."""
    head = task.config.head
    assert head is not None
    found = task_metrics((metric,), head, test.examples[0].language or "", test.examples)[metric]
    return Score(found.statistics(answers, test.examples), found.metric)


def scored(
    model: AdaptedModel, task: Adapter, below: Sequence[Adapter], test: TaskData, metric: str, *, strength: float = 1
) -> Score:
    """Of a task adapter, alone or with others below it, which act with that strength."""
    return score_of(answered(model, task, below, test, strength=strength), task, test, metric)


def difference(ours: Sequence[Score], theirs: Sequence[Score]) -> dict[str, Any]:
    """Over the examples and the runs, with an interval."""
    statistics = (np.stack([run.statistics for run in side]) for side in (ours, theirs))
    return asdict(paired_metric_difference(ours[0].metric, *statistics))
