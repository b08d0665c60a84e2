"""Finding the translation of each sentence among those of all: what sentence vectors are worth, without any label."""

import os
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from adaptkit.backbones.hardware import peak_memory_bytes
from adaptkit.composition import Stack
from adaptkit.data.language_files import language_pairs
from adaptkit.data.letters import NormalForm, normalized
from adaptkit.data.parallel import ParallelCorpus, ParallelSource, open_parallel
from adaptkit.data.spread import spread
from adaptkit.errors import ConfigError, SourceNotFound
from adaptkit.evaluation.conditions import stack_for
from adaptkit.evaluation.learned_text import is_learned_text
from adaptkit.evaluation.measured import Measured
from adaptkit.evaluation.metrics import AnyTaskMetric
from adaptkit.evaluation.named_stack import NamedStack
from adaptkit.evaluation.notes import form_notes
from adaptkit.evaluation.repeats import key_of
from adaptkit.evaluation.results import Condition, Majority, TurnedExample
from adaptkit.evaluation.subject import LanguageTest
from adaptkit.languages import language_name
from adaptkit.model import AdaptedModel
from adaptkit.scores import RecallAt, ReciprocalRank, translation_ranks
from adaptkit.storage import Adapter
from adaptkit.task_types import TaskMetric
from adaptkit.terminal.amounts import counted
from adaptkit.terminal.asking import as_typed

PairsByLanguage: TypeAlias = Mapping[str, ParallelSource]
_KS = (1, 5)


class Pair(NamedTuple):
    """A sentence in the source language and its translation."""

    source: str
    sentence: str


class Ranks(NamedTuple):
    """At which rank a sentence finds its translation in the source language, and that one the sentence."""

    to_source: int
    from_source: int


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """Pairs of sentences in the source language and others, and the ranks at which they find each other.

    The test language's sentences are encoded under the adapter of the condition, and under `domains`; those of the
    source language under `domains` alone, and under the source language's adapter too where the condition is `source`.
    """

    model: AdaptedModel
    source: str
    domains: tuple[Adapter, ...]
    data: str | os.PathLike[str] | PairsByLanguage
    limit: int | None
    batch_size: int
    normalize: NormalForm | None
    _kept: dict[tuple[str, tuple[str, ...]], NDArray[np.float32]] = field(default_factory=dict, repr=False)
    _whole: dict[str, Sequence[tuple[str, str]]] = field(default_factory=dict, repr=False)

    @property
    def tops(self) -> tuple[tuple[Adapter, ...], ...]:
        """The domain adapters; there is one measurement, for nothing was trained for this task."""
        return (self.domains,)

    @property
    def named(self) -> NamedStack | None:
        """None: a stack is named for its answers."""
        return None

    @property
    def seeds(self) -> tuple[int, ...]:
        """None."""
        return ()

    @property
    def adapters(self) -> tuple[str, ...]:
        """No task adapter."""
        return ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Recall at 1 over both directions, then each score by its direction."""
        return tuple(_metrics(self.source))

    @property
    def reads_glosses(self) -> bool:
        """Sentences are found better with them."""
        return True

    def test(self, language: str) -> LanguageTest:
        """The pairs of a language.

        Raises:
            ConfigError: The language is the source language.
            DataError: No such data, or malformed.
        """
        if language == self.source:
            raise ConfigError(
                f"{language} is the language in which translations are looked for; leave it out of "
                f"{as_typed(languages=...)}, or name another {as_typed(source_language=...)}."
            )
        form = partial(normalized, form=self.normalize)
        found = self._whole[language] = list(self._corpus(language).pairs())
        chosen = spread(len(found), len(found) if self.limit is None else self.limit)
        pairs = [Pair(form(source), form(text)) for source, text in map(found.__getitem__, chosen)]
        return LanguageTest(language, pairs, _metrics(self.source))

    def notes(self, tests: Sequence[LanguageTest]) -> Iterator[str]:
        """What is encoded under what, and pairs that are there twice."""
        yield (
            f"the sentences of a test language are encoded under the adapter of the condition, those in "
            f"{language_name(self.source)} under none; where the condition is the adapter of "
            f"{language_name(self.source)}, both are encoded under it."
        )
        if self.domains:
            yield f"on both sides, {' > '.join(adapter.id for adapter in self.domains)} is above it."
        if self.normalize is not None:
            yield f"test texts were read in {self.normalize}."
        for test in tests:
            if repeats := len(test.examples) - len({pair.source for pair in test.examples}):
                again = counted(repeats, f"sentence in {self.source} repeats", f"sentences in {self.source} repeat")
                yield f"{test.language}: {again} an earlier one; the translation of either is right."

    def adapter_notes(self, test: LanguageTest, adapters: Sequence[Adapter]) -> Iterator[str]:
        """Those whose text was in another normal form, and those that learned from these very pairs."""
        yield from form_notes(test.language, self.texts(test), adapters)
        for adapter in adapters:
            if is_learned_text(adapter, self._whole[test.language], self.model.backbone):
                yield (
                    f"{test.language}: {adapter.id} was trained on these very sentences (its card has their hash), so "
                    "its score says little of other text: measure it on pairs that it has not seen."
                )

    def texts(self, test: LanguageTest) -> Iterator[str]:
        """The sentences of both sides."""
        return (text for pair in test.examples for text in pair)

    def key(self, example: Pair) -> Hashable:
        """Both of its sentences."""
        return key_of(example)

    def majorities(self, tests: Sequence[LanguageTest]) -> Iterator[Majority]:  # noqa: ARG002
        """None: there is no answer that is always the same."""
        return iter(())

    def stack(self, condition: Condition, below: Sequence[Adapter]) -> str:
        """What each side is encoded under."""
        ours, theirs = (str(stack) or "none" for stack in self._stacks(condition, below, self.domains))
        return f"{ours}; {self.source}: {theirs}"

    def identity(self, test: LanguageTest, condition: Condition) -> tuple[object, ...]:  # noqa: ARG002
        """Whether the source language has its adapter."""
        return (self.source, condition == "source")

    def measure(
        self, test: LanguageTest, condition: Condition, below: Sequence[Adapter], top: Sequence[Adapter]
    ) -> Measured:
        """Encode both sides and rank. The time is that of the test language's side."""
        stack, source_stack = self._stacks(condition, below, top)
        sources = [pair.source for pair in test.examples]
        theirs = self._vectors_of_source(sources, source_stack)
        started = time.perf_counter()
        texts = [pair.sentence for pair in test.examples]
        ours = self._vectors(texts, stack)
        to_source, from_source = translation_ranks(ours, theirs, sources), translation_ranks(theirs, ours, texts)
        found = list(map(Ranks, to_source.tolist(), from_source.tolist()))
        elapsed_s = time.perf_counter() - started
        return Measured(
            {name: metric.statistics(found, test.examples) for name, metric in test.metrics.items()},
            elapsed_s,
            peak_memory_bytes(self.model.backbone.device),
        )

    @property
    def shows_examples(self) -> bool:
        """Sentences are found or not among all others, so none is shown."""
        return False

    def turned(
        self,
        test: LanguageTest,  # noqa: ARG002 - of the contract of subjects
        condition: Condition,  # noqa: ARG002
        below: Sequence[Adapter],  # noqa: ARG002
        without: Sequence[Measured],  # noqa: ARG002
        having: Sequence[Measured],  # noqa: ARG002
    ) -> Iterator[TurnedExample]:
        """None."""
        return iter(())

    def _stacks(self, condition: Condition, below: Sequence[Adapter], top: Sequence[Adapter]) -> tuple[Stack, Stack]:
        return stack_for(below, top), stack_for(below if condition == "source" else (), top)

    def _vectors(self, texts: Sequence[str], stack: Stack) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = self.model.encode(texts, stack=stack, batch_size=self.batch_size).numpy()
        return vectors

    def _vectors_of_source(self, texts: Sequence[str], stack: Stack) -> NDArray[np.float32]:
        """Those of the test before, where it has the same sentences: most languages have one source side."""
        key = str(stack), tuple(texts)
        if any(kept != key[1] for _, kept in self._kept):
            self._kept.clear()
        if key not in self._kept:
            self._kept[key] = self._vectors(texts, stack)
        return self._kept[key]

    def _corpus(self, language: str) -> ParallelCorpus:
        if not isinstance(self.data, Mapping):
            return language_pairs(Path(self.data), source=self.source, target=language)
        if language not in self.data:
            raise SourceNotFound(f"{as_typed(data=...)} has no pairs in {language}; it has {', '.join(self.data)}.")
        return open_parallel(self.data[language], target=language, source_language=self.source)


def _metrics(source: str) -> dict[str, AnyTaskMetric]:
    name = language_name(source)
    directions: dict[str, Callable[[Ranks], tuple[int, ...]]] = {
        f", to {name}": lambda ranks: (ranks.to_source,),
        f", from {name}": lambda ranks: (ranks.from_source,),
    }
    found = {"recall at 1": _metric(RecallAt(1, "recall at 1"), tuple)}
    for said, of_ranks in directions.items():
        found |= {f"recall at {k}{said}": _metric(RecallAt(k, f"recall at {k}{said}"), of_ranks) for k in _KS}
        found[f"MRR{said}"] = _metric(ReciprocalRank(f"MRR{said}"), of_ranks)
    return found


def _metric(score: RecallAt | ReciprocalRank, of_ranks: Callable[[Ranks], tuple[int, ...]]) -> AnyTaskMetric:
    return TaskMetric(score, of_prediction=of_ranks, of_example=lambda pair: pair)
