"""The scores of a task, with what they read of predictions and examples."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptkit.config import HeadConfig, TaskType
from adaptkit.data.tasks import Example
from adaptkit.errors import ConfigError
from adaptkit.scores import (
    Accuracy,
    AnswerF1,
    EntityF1,
    ExactMatch,
    MacroF1,
    Metric,
    PearsonCorrelation,
    mlqa_normaliser,
)

DEFAULT_METRICS: Mapping[TaskType, tuple[str, ...]] = {
    "classification": ("accuracy", "macro F1"),
    "tagging": ("entity F1",),
    "qa": ("SQuAD F1", "SQuAD exact match"),
    "choice": ("accuracy",),
    "similarity": ("Pearson correlation",),
}


@dataclass(frozen=True)
class TaskMetric:
    """A metric, and how it sees predictions and gold answers."""

    metric: Metric[Any, Any]
    of_prediction: Callable[[Any], Any]
    of_example: Callable[[Any], Any]

    def statistics(self, predictions: Sequence[Any], examples: Sequence[Example]) -> NDArray[np.float64]:
        """What the metric sums, for each example. Shape: (n_examples, k)."""
        return self.metric.statistics(
            [self.of_prediction(prediction) for prediction in predictions],
            [self.of_example(example) for example in examples],
        )


def task_metrics(
    names: Sequence[str], head: HeadConfig, language: str, examples: Sequence[Example]
) -> dict[str, TaskMetric]:
    """The metrics of these names for a head's predictions of examples in a language.

    Entities of a type that the head cannot give are left out of its score.

    Raises:
        ConfigError: A metric that the task type does not have.
    """
    found: dict[str, TaskMetric] = {}
    for name in names:
        maker = _MAKERS.get((head.task_type, name))
        if maker is None:
            known = ", ".join(known for task_type, known in _MAKERS if task_type == head.task_type)
            raise ConfigError(f"metric {name!r} is unknown for {head.task_type}; known: {known}.")
        found[name] = maker(head, language, examples)
    return found


def ignored_entities(head: HeadConfig, examples: Sequence[Example]) -> frozenset[str]:
    """Entity types in the examples that a tagging head cannot give."""
    known = {tag.partition("-")[2] for tag in head.labels}
    there = {tag.partition("-")[2] for example in examples for tag in getattr(example, "tags", ())}
    return frozenset(there - known)


def _label(example: Any) -> Any:  # noqa: ANN401 - an example of the type
    return example.label


def _tags(value: Any) -> Any:  # noqa: ANN401
    return value.tags


def _answers(example: Any) -> tuple[str, ...]:  # noqa: ANN401
    return tuple(text for text, _ in example.answers)


def _text(prediction: Any) -> Any:  # noqa: ANN401
    return prediction.text


def _choice(prediction: Any) -> str:  # noqa: ANN401
    return str(prediction.choice)


def _similarity(example: Any) -> float:  # noqa: ANN401
    return float(example.score)


def _right_choice(example: Any) -> str:  # noqa: ANN401
    return str(example.answer)


def _maker(
    metric: Callable[[HeadConfig, str, Sequence[Example]], Metric[Any, Any]],
    of_prediction: Callable[[Any], Any],
    of_example: Callable[[Any], Any],
) -> Callable[[HeadConfig, str, Sequence[Example]], TaskMetric]:
    return lambda head, language, examples: TaskMetric(metric(head, language, examples), of_prediction, of_example)


_MAKERS: dict[tuple[TaskType, str], Callable[[HeadConfig, str, Sequence[Example]], TaskMetric]] = {
    ("classification", "accuracy"): _maker(lambda *_: Accuracy(), _label, _label),
    ("classification", "macro F1"): _maker(lambda head, *_: MacroF1(head.labels), _label, _label),
    ("tagging", "entity F1"): _maker(
        lambda head, _, examples: EntityF1(ignore=ignored_entities(head, examples)), _tags, _tags
    ),
    ("qa", "SQuAD F1"): _maker(lambda *_: AnswerF1(), _text, _answers),
    ("qa", "SQuAD exact match"): _maker(lambda *_: ExactMatch(), _text, _answers),
    ("qa", "MLQA F1"): _maker(lambda _, language, __: AnswerF1(mlqa_normaliser(language)), _text, _answers),
    ("qa", "MLQA exact match"): _maker(lambda _, language, __: ExactMatch(mlqa_normaliser(language)), _text, _answers),
    ("choice", "accuracy"): _maker(lambda *_: Accuracy(), _choice, _right_choice),
    ("similarity", "Pearson correlation"): _maker(lambda *_: PearsonCorrelation(), float, _similarity),
}
