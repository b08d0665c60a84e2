"""A score of a task type, with what it reads of predictions and examples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from adaptkit.scores import Metric

PredictionT = TypeVar("PredictionT", contravariant=True)
ExampleT = TypeVar("ExampleT", contravariant=True)


@dataclass(frozen=True)
class TaskMetric(Generic[PredictionT, ExampleT]):
    """A metric, and how it sees predictions and gold answers."""

    metric: Metric[Any, Any]
    of_prediction: Callable[[PredictionT], object]
    of_example: Callable[[ExampleT], object]

    def statistics(self, predictions: Sequence[PredictionT], examples: Sequence[ExampleT]) -> NDArray[np.float64]:
        """What the metric sums, for each example. Shape: (n_examples, k)."""
        return self.metric.statistics(
            [self.of_prediction(prediction) for prediction in predictions],
            [self.of_example(example) for example in examples],
        )
