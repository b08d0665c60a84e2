"""What a task adapter scores on the examples that were held out, in sentences, once it is trained."""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

from adaptkit.composition import Stack
from adaptkit.data.tasks import Example
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig, TaskMetric

_MOST_EXAMPLES = 512


def heldout_scores(
    model: AdaptedModel,
    head: HeadConfig,
    examples: Sequence[Example],
    stacks: Sequence[Stack],
    *,
    batch_size: int,
    what: str = "held-out examples",
) -> tuple[str, str | None]:
    """Its scores on at most 512 examples, each under its stack, and what is wrong if it gives all one answer."""
    examples, stacks = examples[:_MOST_EXAMPLES], stacks[:_MOST_EXAMPLES]
    predictions = model.predict(examples, stacks=stacks, batch_size=batch_size)
    metrics = {name: head.row.metrics[name](head, _language(examples), examples) for name in head.row.default_metrics}
    found = {
        name: float(metric.metric.score(metric.statistics(predictions, examples).sum(axis=0)))
        for name, metric in metrics.items()
    }
    scores = [f"{name} {score:.1f}" for name, score in found.items() if math.isfinite(score)]
    told = f"scores of 100 on the {len(examples):,} {what}: {', '.join(scores) or 'none that so few could have'}"
    return told, _one_answer(head, next(iter(metrics.values())), predictions, examples, what)


def _one_answer(
    head: HeadConfig,
    metric: TaskMetric[Any, Any],
    predictions: Sequence[Any],
    examples: Sequence[Example],
    what: str,
) -> str | None:
    if not head.row.weighs_classes:
        return None
    given = set(chain.from_iterable(map(_several, map(metric.of_prediction, predictions))))
    right = set(chain.from_iterable(map(_several, map(metric.of_example, examples))))
    if len(given) > 1 or right <= given:
        return None
    return (
        f"the head answers {next(iter(given))!r} to all of the {len(examples):,} {what}, where {len(right)} labels are "
        "right: it has learned no difference. Try more examples of the others, more steps, another seed, or balanced "
        "class weights"
    )


def _several(answer: Any) -> tuple[str, ...]:  # noqa: ANN401 - a label, or those of words
    return (answer,) if isinstance(answer, str) else tuple(answer)


def _language(examples: Sequence[Example]) -> str:
    """That of the examples where it is one; scores of answers differ by language."""
    found = {example.language for example in examples}
    return next(iter(found)) or "und" if len(found) == 1 else "und"
