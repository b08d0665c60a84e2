"""Which test examples task adapters answer right, and what one kind of them gains over another."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptkit import AdaptedModel, Adapter
from adaptkit.data.tasks import TaskData
from adaptkit.evaluation.attached import attached
from adaptkit.scores import paired_difference

Right = NDArray[np.float64]


def right_answers(model: AdaptedModel, test: TaskData, *adapters: Adapter) -> Right:
    """1 where the predicted label, of several task adapters together, is the right one. Shape: (n_examples)."""
    with attached(model, *adapters):
        found = model.predict(test.examples, stack=" | ".join(adapter.id for adapter in adapters), batch_size=64)
    pairs = zip(found, test.examples, strict=True)
    right = [prediction.label == example.label for prediction, example in pairs]  # type: ignore[attr-defined]
    return np.array(right, np.float64)


def gain(runs: Sequence[Right], plain: Sequence[Right]) -> dict[str, Any]:
    """Accuracies in percent of runs that differ in their seed, and what they gain over plain ones of the same seeds."""
    difference = paired_difference(np.stack(runs), np.stack(plain))
    accuracies = [round(100 * float(run.mean()), 2) for run in runs]
    return {
        "accuracies": accuracies,
        "mean": round(float(np.mean(accuracies)), 2),
        "gain": round(difference.mean, 2),
        "interval_95": [round(difference.low, 2), round(difference.high, 2)],
        "verdict": difference.verdict,
    }
