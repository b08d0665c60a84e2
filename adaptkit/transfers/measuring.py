"""The ways of a transfer measured on labelled examples of the language, and the one to take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptkit.data.tasks import Example, TaskData
from adaptkit.evaluation.metrics import task_metrics
from adaptkit.model import AdaptedModel
from adaptkit.recipes.place import model_of
from adaptkit.requests import Pretrained
from adaptkit.scores import Difference, paired_metric_difference
from adaptkit.transfers.prepared import Prepared
from adaptkit.transfers.transferred import MeasuredWay, TransferredTask, chosen_of
from adaptkit.transfers.ways import Way


@dataclass(frozen=True)
class Measuring:
    """The ways, measured where there are examples for it."""

    started: Prepared
    place: Path
    ways: Sequence[Way]
    held: Pretrained

    def result(self) -> TransferredTask:
        """What came of it."""
        if self.started.dev is None:
            return self._transferred([MeasuredWay(name=way.name, stack=way.stack) for way in self.ways], [None], "")
        model = model_of(self.held)
        model.attach_zoo(self.place)
        return self._measured(model, self.started.dev)

    def _measured(self, model: AdaptedModel, dev: TaskData) -> TransferredTask:
        head, language = self.started.ways.head, self.started.ways.language
        name = head.row.default_metrics[0]
        task_metric = task_metrics([name], head, language, dev.examples)[name]
        metric = task_metric.metric
        answers = _answers(model, [way.stack for way in self.ways], dev.examples)
        each = [task_metric.statistics(given, dev.examples) for given in answers]
        found = [
            MeasuredWay(
                name=way.name,
                stack=way.stack,
                score=float(metric.score(statistics.sum(axis=0))),
                gain=None if number == 0 else paired_metric_difference(metric, statistics, each[0]),
            )
            for number, (way, statistics) in enumerate(zip(self.ways, each, strict=True))
        ]
        over_usual = [paired_metric_difference(metric, statistics, each[-1]) for statistics in each]
        return self._transferred(found, over_usual, name)

    def _transferred(
        self, found: Sequence[MeasuredWay], over_usual: Sequence[Difference | None], metric: str
    ) -> TransferredTask:
        taken, why = chosen_of(found, over_usual, known=self.started.ways.known)
        return TransferredTask(
            task=self.started.ways.task,
            language=self.started.ways.language,
            folder=self.place,
            stack=taken.stack,
            chosen=why,
            metric=metric,
            n_examples=0 if self.started.dev is None else len(self.started.dev.examples),
            ways=tuple(found),
            notes=self.started.notes,
        )


def _answers(model: AdaptedModel, ways: Sequence[str], examples: Sequence[Example]) -> Iterator[list[Any]]:
    """What each stack or ensemble answers; a stack that is in several of them answers once."""
    given: dict[str, list[Any]] = {}
    for way in ways:
        ensemble = model.pinned_ensemble(way)
        for each in ensemble.stacks:
            if str(each.stack) not in given:
                given[str(each.stack)] = model.predict(examples, stack=each)
        members = (given[str(each.stack)] for each in ensemble.stacks)
        yield list(map(ensemble.mean, zip(*members, strict=True)))
