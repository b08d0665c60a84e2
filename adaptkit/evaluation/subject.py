"""What a report measures under each condition: the answers of a task adapter, or what sentence vectors find."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from adaptkit.evaluation.by_class import ClassTest
from adaptkit.evaluation.measured import Measured
from adaptkit.evaluation.metrics import AnyTaskMetric
from adaptkit.evaluation.named_stack import NamedStack
from adaptkit.evaluation.results import Condition, Majority, TurnedExample
from adaptkit.storage import Adapter


@dataclass(frozen=True)
class LanguageTest:
    """What a language is tested on."""

    language: str
    examples: Sequence[Any]
    metrics: Mapping[str, AnyTaskMetric]
    by_class: ClassTest | None = None


class Subject(Protocol):
    """What is measured. A cell of the report is measured once for each of `tops`."""

    @property
    def tops(self) -> tuple[tuple[Adapter, ...], ...]:
        """The adapters that stand above the language's, lowest first: with the task adapter of each seed, or none."""

    @property
    def named(self) -> NamedStack | None:
        """What is measured besides, as the caller named it."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """The training seeds of the task adapter; empty where nothing was trained."""

    @property
    def adapters(self) -> tuple[str, ...]:
        """What stands on top, in words."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the scores, the main one first."""

    @property
    def reads_glosses(self) -> bool:
        """Whether a glossary that was not asked for lies below."""

    def test(self, language: str) -> LanguageTest:
        """The test of a language.

        Raises:
            DataError, ConfigError: Data that is not there, malformed, or not for this subject.
        """

    def notes(self, tests: Sequence[LanguageTest]) -> Iterator[str]:
        """What a reader has to know, before anything is measured."""

    def adapter_notes(self, test: LanguageTest, adapters: Sequence[Adapter]) -> Iterator[str]:
        """What a reader has to know of the adapters that act in a test, before they are measured."""

    def texts(self, test: LanguageTest) -> Iterator[str]:
        """The sentences of a test."""

    def key(self, example: Any) -> Hashable:  # noqa: ANN401 - each subject has examples of its own
        """What is alike of examples that are no evidence of their own."""

    def majorities(self, tests: Sequence[LanguageTest]) -> Iterator[Majority]:
        """The score of always giving the same answer, where there is one."""

    def stack(self, condition: Condition, below: Sequence[Adapter]) -> str:
        """What acts under a condition, for the tables."""

    def identity(self, test: LanguageTest, condition: Condition) -> tuple[object, ...]:
        """All that a measurement depends on besides the adapters, the backbone, the test and the batches."""

    def measure(
        self, test: LanguageTest, condition: Condition, below: Sequence[Adapter], top: Sequence[Adapter]
    ) -> Measured:
        """Measure once, with all adapters attached."""

    @property
    def shows_examples(self) -> bool:
        """Whether a report shows examples whose answer was turned."""

    def turned(
        self,
        test: LanguageTest,
        condition: Condition,
        below: Sequence[Adapter],
        without: Sequence[Measured],
        having: Sequence[Measured],
    ) -> Iterator[TurnedExample]:
        """The examples that the adapters below turned right or wrong, with all adapters attached.

        `without` and `having` are the measurements under `none` and under the condition.
        """
