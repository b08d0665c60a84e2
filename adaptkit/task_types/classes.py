"""How the answers of a task type are counted by class."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from adaptkit.task_types.head_fields import HeadFields
from adaptkit.task_types.task_metric import TaskMetric


class ClassMetric(Protocol):
    """A metric whose statistics are, for each of its `labels`, (correct, predicted, gold)."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes."""

    def statistics(self, predicted: Any, gold: Any) -> NDArray[np.float64]:  # noqa: ANN401 - as the metric reads them
        """Shape: (n_examples, 3 * n_labels)."""


@dataclass(frozen=True, kw_only=True)
class Classes:
    """What a report needs for a table by class.

    Attributes:
        metric: for a head, a language and the examples, a `TaskMetric` of a `ClassMetric`.
        counted: what the numbers of a class count, such as `entities`.
        each: what `units` are, in the plural.
        units: what of an answer, predicted or right, is of one class each, in an order that both share: only of such
            answers can be counted what was taken for what. None: of no answer.
    """

    metric: Callable[[HeadFields, str, Sequence[Any]], TaskMetric[Any, Any]]
    counted: str = "examples"
    each: str = "examples"
    units: Callable[[Any], Sequence[str]] | None = None
