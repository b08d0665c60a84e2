"""A task adapter's answers on a test, scored so that two can be compared example by example."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

import adaptkit
from adaptkit import AdaptedModel, Adapter
from adaptkit.data.tasks import TaskData
from adaptkit.evaluation.attached import attached
from adaptkit.evaluation.measured import Measured, measure
from adaptkit.evaluation.metrics import task_metrics
from adaptkit.scores import paired_metric_difference


class Score:
    """A run's measurement with its metric."""

    def __init__(self, measured: Measured, name: str, metric: Any) -> None:  # noqa: ANN401 - the package's metrics have none in common
        self.statistics = measured.statistics[name]
        self.metric = metric

    @property
    def score(self) -> float:
        return float(self.metric.score(self.statistics.sum(axis=0)))


def scored(model: AdaptedModel, task: Adapter, below: Sequence[Adapter], test: TaskData, metric: str) -> Score:
    """Of a task adapter, alone or with others below it."""
    head = task.config.head
    assert head is not None
    metrics = task_metrics((metric,), head, test.examples[0].language or "", test.examples)
    adapters = [*below, task]
    stack = adaptkit.Stack(*(adapter.id for adapter in adapters))
    with attached(model, *adapters):
        return Score(measure(model, stack, test.examples, metrics, batch_size=64), metric, metrics[metric].metric)


def difference(ours: Sequence[Score], theirs: Sequence[Score]) -> dict[str, Any]:
    """Over the examples and the runs, with an interval."""
    statistics = (np.stack([run.statistics for run in side]) for side in (ours, theirs))
    return asdict(paired_metric_difference(ours[0].metric, *statistics))
