"""One measurement: a stack's predictions on a language's examples, as what its metrics sum. Kept on disk when asked."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptkit.backbones.hardware import peak_memory_bytes
from adaptkit.composition import Ensemble, Stack
from adaptkit.data.tasks import Example
from adaptkit.errors import DataError
from adaptkit.evaluation.by_class import ClassCounts, ClassTest
from adaptkit.evaluation.metrics import AnyTaskMetric
from adaptkit.format.folder import whole_file
from adaptkit.model import AdaptedModel
from adaptkit.task_types import PredictedLabel


@dataclass(frozen=True)
class Measured:
    """Statistics by metric name, shape (n_examples, k) each; seconds, and the most memory held, in bytes.

    `only_answer` is what was answered to every example, where others are right for some; empty where there are several.
    `by_class` are the answers counted by class, where the task has classes.
    """

    statistics: Mapping[str, NDArray[np.float64]]
    elapsed_s: float
    peak_memory_bytes: int
    only_answer: str = ""
    by_class: ClassCounts | None = None


def measure(
    model: AdaptedModel,
    stack: Stack | Ensemble,
    examples: Sequence[Example],
    metrics: Mapping[str, AnyTaskMetric],
    by_class: ClassTest | None = None,
    *,
    batch_size: int,
    max_answer_tokens: int | None = None,
) -> Measured:
    """Predict and score."""
    started = time.perf_counter()
    predictions = model.predict(examples, stack=stack, batch_size=batch_size, max_answer_tokens=max_answer_tokens)
    elapsed_s = time.perf_counter() - started
    return Measured(
        {name: metric.statistics(predictions, examples) for name, metric in metrics.items()},
        elapsed_s,
        peak_memory_bytes(model.backbone.device),
        _only_answer(next(iter(metrics.values())), predictions, examples),
        None if by_class is None else by_class.count(predictions, examples),
    )


def _only_answer(metric: AnyTaskMetric, predictions: Sequence[Any], examples: Sequence[Example]) -> str:
    given = {metric.of_prediction(prediction) for prediction in predictions if isinstance(prediction, PredictedLabel)}
    if len(given) != 1:
        return ""
    return "" if {metric.of_example(example) for example in examples} <= given else str(next(iter(given)))


@dataclass(frozen=True)
class Kept:
    """Measurements in a folder, one JSON file each, so that an interrupted evaluation goes on where it stopped.

    A file's name is a hash of everything that its content depends on.
    """

    folder: Path | None

    def load(self, identity: str) -> Measured | None:
        """The measurement of this identity, if it was kept.

        Raises:
            DataError: A file that is not what was written.
        """
        path = self._path(identity)
        if path is None or not path.is_file():
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            statistics = {name: np.asarray(rows, dtype=np.float64) for name, rows in content["statistics"].items()}
            return Measured(
                statistics,
                float(content["elapsed_s"]),
                int(content["peak_memory_bytes"]),
                str(content.get("only_answer", "")),
                _counts(content.get("by_class")),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path} is not a kept measurement ({error}). Delete it; it is measured again.") from error

    def save(self, identity: str, measured: Measured) -> None:
        """Keep a measurement; whole or not at all."""
        path = self._path(identity)
        if path is None:
            return
        content = {
            "statistics": {name: rows.tolist() for name, rows in measured.statistics.items()},
            "elapsed_s": measured.elapsed_s,
            "peak_memory_bytes": measured.peak_memory_bytes,
            "only_answer": measured.only_answer,
            "by_class": _counts_as_json(measured.by_class),
        }
        with whole_file(path) as partial:
            partial.write_text(json.dumps(content, allow_nan=False), encoding="utf-8")

    def _path(self, identity: str) -> Path | None:
        name = hashlib.sha256(identity.encode()).hexdigest()[:32]
        return None if self.folder is None else self.folder / f"{name}.json"


def _counts(content: Any) -> ClassCounts | None:  # noqa: ANN401 - parsed JSON
    if content is None:
        return None
    taken = {(str(right), str(answered)): int(n) for right, answered, n in content["taken"]}
    return ClassCounts(np.asarray(content["statistics"], dtype=np.float64), taken)


def _counts_as_json(counts: ClassCounts | None) -> object:
    if counts is None:
        return None
    taken = [[right, answered, n] for (right, answered), n in counts.taken.items()]
    return {"statistics": counts.statistics.tolist(), "taken": taken}
