"""Test examples whose answer a language adapter turned right or wrong, to be looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from adaptkit.composition import Ensemble, Stack, one_stack
from adaptkit.data.tasks import Example
from adaptkit.errors import ConfigError
from adaptkit.evaluation.measured import Measured
from adaptkit.evaluation.metrics import AnyTaskMetric
from adaptkit.evaluation.results import TurnedExample
from adaptkit.heads import format_of
from adaptkit.heads.explained import Wanted, explained_format
from adaptkit.labelled import texts_of
from adaptkit.model import AdaptedModel
from adaptkit.model.integrated import require_captum
from adaptkit.requests import Explaining
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig

Way: TypeAlias = Literal["right", "wrong"]
_RIGHT = 100 - 1e-6
_HOW = Explaining(steps=16, most_steps=64)
"""A picture of which words count, for many sentences."""


@dataclass(frozen=True)
class Chosen:
    """The number of a turned example in its test, which way it was turned, and in how many seeds."""

    number: int
    way: Way
    seeds: int


def chosen_examples(
    metric: AnyTaskMetric, name: str, without: Sequence[Measured], having: Sequence[Measured], most: int
) -> list[Chosen]:
    """Those turned right, then those turned wrong, at most so many of each; in the first seed, and in most others."""
    before, after = (_are_right(metric, [run.statistics[name] for run in runs]) for runs in (without, having))
    return [
        *_chosen("right", ~before & after, most),
        *_chosen("wrong", before & ~after, most),
    ]


def _chosen(way: Way, turned: NDArray[np.bool_], most: int) -> Iterator[Chosen]:
    """Shape: turned (n_seeds, n_examples)."""
    seeds = turned.sum(axis=0)
    for number in sorted(np.flatnonzero(turned[0]).tolist(), key=lambda each: -seeds[each])[:most]:
        yield Chosen(number, way, int(seeds[number]))


def _are_right(metric: AnyTaskMetric, statistics: Sequence[NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Whether each example alone has the full score; nothing predicted where nothing is to be found is right too.

    Shape: statistics, for each seed (n_examples, k), result (n_seeds, n_examples).
    """
    stacked = np.stack(statistics)
    found: NDArray[np.bool_] = (metric.metric.score(stacked) >= _RIGHT) | ~stacked.any(axis=-1)
    return found


def require_turnable(model: AdaptedModel, task: Adapter, *, explain: bool) -> None:
    """See that examples can be shown, and explained where that is asked for, before hours are spent.

    Raises:
        ConfigError: Answers that are never right or wrong, or that cannot be explained; captum is not installed.
    """
    head = task.config.head
    assert head is not None  # noqa: S101 - checked when it was given
    if not head.row.right_or_wrong:
        raise ConfigError(
            f"a {head.row.name} head gives a number, which is nearer or less near and not right or wrong, so no "
            "example is turned right; leave examples out."
        )
    if explain:
        require_captum()
        explained_format(format_of(model.backbone, head), head.row)


@dataclass(frozen=True)
class Showing:
    """How turned examples of one language under one condition are shown. The adapters of both stacks are attached."""

    model: AdaptedModel
    head: HeadConfig
    metric: AnyTaskMetric
    without: Stack
    having: Stack | Ensemble
    explain: bool
    max_answer_tokens: int | None = None

    def shown(self, example: Example, chosen: Chosen, language: str, condition: Any) -> TurnedExample:  # noqa: ANN401
        """One of them, with the words that decided where that was asked for."""
        before, after = (
            self.model.predict([example], stack=stack, max_answer_tokens=self.max_answer_tokens)[0]
            for stack in (self.without, self.having)
        )
        found = self._explained(example, before, after) if self.explain else None
        return TurnedExample(
            language=language,
            condition=condition,
            turned=chosen.way,
            texts=tuple(texts_of(example)) if found is None else found.texts,
            gold=in_words(self.metric.of_example(example), self.metric.of_prediction(after)),
            before=in_words(self.metric.of_prediction(before)),
            after=in_words(self.metric.of_prediction(after)),
            seeds=chosen.seeds,
            target="" if found is None else found.target,
            words=() if found is None else found.words,
        )

    def _explained(self, example: Example, before: Any, after: Any) -> Any:  # noqa: ANN401 - predictions of any type
        task_format = explained_format(format_of(self.model.backbone, self.head), self.head.row)
        wanted: Wanted = task_format.changed(before, after)
        return self.model.explain(
            [example], stack=one_stack(self.having), target=wanted.target, word=wanted.word, how=_HOW
        )[0]


def in_words(value: object, beside: object = None) -> str:
    """An answer, or tags behind each other; several answers that are right beside one are told apart."""
    if isinstance(value, tuple | list | frozenset | set):
        parts = sorted(value) if isinstance(value, frozenset | set) else list(value)
        return (" / " if isinstance(beside, str) else " ").join(map(str, parts)) or "nothing"
    return str(value) or "no answer"
