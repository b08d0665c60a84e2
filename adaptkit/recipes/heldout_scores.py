"""What a task adapter scores on examples that were held out, while it trains and once it is trained."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from adaptkit.composition import Stack
from adaptkit.data.spread import spread
from adaptkit.data.tasks import Example
from adaptkit.model import AdaptedModel
from adaptkit.recipes.kept_answers import KeptAnswers
from adaptkit.task_types import HeadConfig, TaskMetric

MOST_EXAMPLES = 512
"""Examples that are answered; their score is off by two points or so (standard error)."""

FEW_EXAMPLES = 100
_TWICE_THE_ERROR = 98.0
"""Half of a 95 % interval of an accuracy near 50, in points, times the root of the number of examples."""


@dataclass(frozen=True)
class Scored:
    """The scores of the task type, 0 to 100, the main one first; those that so few examples cannot have are left out.

    `one_answer` says what is wrong where all answers are the same one.
    """

    scores: Mapping[str, float]
    n_examples: int
    what: str
    one_answer: str | None

    @property
    def told(self) -> str:
        """A sentence."""
        scores = ", ".join(f"{name} {score:.1f}" for name, score in self.scores.items())
        told = f"scores of 100 on the {self.n_examples:,} {self.what}: {scores or 'none that so few could have'}"
        if not scores or self.n_examples >= FEW_EXAMPLES:
            return told
        off = _TWICE_THE_ERROR / math.sqrt(self.n_examples)
        return f"{told}. Few examples say little: on others, a score may differ by {off:.0f} points"


@dataclass(frozen=True)
class HeldoutExamples:
    """Labelled examples, each with the stack that answers it; `what` they are in words.

    Their scores are those that `adaptkit.evaluate` gives for the same examples. The model does not read again those
    that are `kept`, as long as they are.
    """

    model: AdaptedModel
    head: HeadConfig
    examples: Sequence[Example]
    stacks: Sequence[Stack]
    batch_size: int
    what: str = "held-out examples"
    kept: KeptAnswers | None = None

    def some(self, most: int) -> "HeldoutExamples":
        """At most so many of them, evenly spread."""
        chosen = spread(len(self.examples), most)
        return replace(
            self,
            examples=[self.examples[number] for number in chosen],
            stacks=[self.stacks[number] for number in chosen],
            kept=None if self.kept is None else self.kept.some(chosen),
        )

    def answers(self) -> Sequence[Any]:
        """What the model answers now."""
        found = {} if self.kept is None else self.kept.answers()
        others = [number for number in range(len(self.examples)) if number not in found]
        if others:
            examples, stacks = [self.examples[n] for n in others], [self.stacks[n] for n in others]
            answers = self.model.predict(examples, stacks=stacks, batch_size=self.batch_size)
            found.update(zip(others, answers, strict=True))
        return [found[number] for number in range(len(self.examples))]

    def scored(self) -> Scored:
        """What the answers of now score."""
        head, examples, predictions = self.head, self.examples, self.answers()
        metrics = {
            name: head.row.metrics[name](head, _language(examples), examples) for name in head.row.default_metrics
        }
        scores = {
            name: float(metric.metric.score(metric.statistics(predictions, examples).sum(axis=0)))
            for name, metric in metrics.items()
        }
        return Scored(
            {name: score for name, score in scores.items() if math.isfinite(score)},
            len(examples),
            self.what,
            _one_answer(head, next(iter(metrics.values())), predictions, examples, self.what),
        )


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
