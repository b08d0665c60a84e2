"""What of a measurement is counted by class, and what a language adapter changed of each class."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptkit.data.tasks import Example
from adaptkit.evaluation.metrics import AnyTaskMetric
from adaptkit.evaluation.repeats import by_text, without_verdict
from adaptkit.evaluation.results import ClassScore, Condition, Confusion
from adaptkit.scores import paired_class_differences
from adaptkit.task_types import Classes, HeadConfig

Taken = Mapping[tuple[str, str], int]
"""How often the first class was right and the second one, or the same, answered."""


@dataclass(frozen=True)
class ClassCounts:
    """Of one measurement: for each example and class (correct, predicted, gold), and what was taken for what.

    Shape: statistics (n_examples, 3 * n_classes).
    """

    statistics: NDArray[np.float64]
    taken: Taken


@dataclass(frozen=True)
class ClassTest:
    """How answers to a language's test are counted by class."""

    metric: AnyTaskMetric
    classes: Classes
    no_label: str | None = None

    @classmethod
    def of(cls, head: HeadConfig, language: str, examples: Sequence[Example]) -> "ClassTest | None":
        """That of a head's task type; None where it has no classes."""
        classes = head.row.classes
        return None if classes is None else cls(classes.metric(head, language, examples), classes, head.row.no_label)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes."""
        labels: tuple[str, ...] = self.metric.metric.labels  # type: ignore[attr-defined]  # a ClassMetric
        return labels

    def count(self, predictions: Sequence[Any], examples: Sequence[Example]) -> ClassCounts:
        """Count the answers."""
        taken: Counter[tuple[str, str]] = Counter()
        if (units := self.classes.units) is not None:
            for prediction, example in zip(predictions, examples, strict=True):
                right, found = units(self.metric.of_example(example)), units(self.metric.of_prediction(prediction))
                taken.update(both for both in zip(right, found, strict=True) if both[0] != self.no_label)
        return ClassCounts(self.metric.statistics(predictions, examples), taken)


def class_scores(
    test: ClassTest,
    language: str,
    runs: Mapping[Condition, Sequence[ClassCounts]],
    texts: NDArray[np.int64],
) -> Iterator[ClassScore]:
    """Each class under each condition, with its gain over `none`; `texts` are the numbers of the rows' texts."""
    for condition, counts in runs.items():
        gains = _gains(counts, runs["none"], texts) if condition != "none" else [None] * len(test.labels)
        of_seeds = np.stack([each.statistics.sum(axis=0) for each in counts]).reshape(len(counts), -1, 3)
        for number, label in enumerate(test.labels):
            correct, predicted, gold = of_seeds[:, number].sum(axis=0).astype(int).tolist()
            if not predicted and not gold:
                continue  # no answer and no example: there is nothing to tell
            yield ClassScore(
                language=language,
                condition=condition,
                label=label,
                n=int(of_seeds[0, number, 2]),
                correct=correct,
                predicted=predicted,
                gold=gold,
                counted=test.classes.counted,
                gain=gains[number],
            )


def grown_confusions(
    test: ClassTest, language: str, runs: Mapping[Condition, Sequence[ClassCounts]]
) -> Iterator[Confusion]:
    """Of each condition, the confusion that is more frequent than under `none` by most answers; none where none is."""
    without = _together(runs["none"])
    for condition in (each for each in runs if each != "none"):
        counts = _together(runs[condition])
        growth = {pair: n for pair, n in (counts - without).items() if pair[0] != pair[1]}
        if not growth:
            continue
        right, answered = max(growth, key=lambda pair: (growth[pair], pair))
        yield Confusion(
            language=language,
            condition=condition,
            right=right,
            answered=answered,
            before=without[right, answered],
            after=counts[right, answered],
            n=sum(n for pair, n in counts.items() if pair[0] == right),
            counted=test.classes.each,
        )


def _together(counts: Sequence[ClassCounts]) -> Counter[tuple[str, str]]:
    """Of all seeds."""
    return sum((Counter(each.taken) for each in counts), Counter())


def _gains(ours: Sequence[ClassCounts], theirs: Sequence[ClassCounts], texts: NDArray[np.int64]) -> list[Any]:
    """The difference of each class's F1; without a verdict where too few texts have the class."""
    both = [by_text(np.stack([each.statistics for each in counts]), texts) for counts in (ours, theirs)]
    having = (both[0][0].reshape(both[0].shape[1], -1, 3)[..., 2] > 0).sum(axis=0)
    return [without_verdict(found, int(n)) for found, n in zip(paired_class_differences(*both), having, strict=True)]
