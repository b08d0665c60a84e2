"""The answers of a task adapter's head on labelled examples, once for each seed of its training."""

import os
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from adaptkit.composition import Ensemble, Stack
from adaptkit.data.letters import NormalForm
from adaptkit.data.spread import spread
from adaptkit.data.tasks import TASKS, Example, TaskData
from adaptkit.errors import ConfigError, SourceNotFound
from adaptkit.evaluation.by_class import ClassTest
from adaptkit.evaluation.conditions import stack_for
from adaptkit.evaluation.measured import Measured, measure
from adaptkit.evaluation.metrics import task_metrics
from adaptkit.evaluation.named_stack import NamedStack
from adaptkit.evaluation.notes import form_notes, ignored_notes, loss_notes
from adaptkit.evaluation.repeats import key_of
from adaptkit.evaluation.results import Condition, Majority, TurnedExample
from adaptkit.evaluation.subject import LanguageTest
from adaptkit.evaluation.turned import Showing, chosen_examples
from adaptkit.labelled import normalized_data, read_task, task_spec, texts_of
from adaptkit.model import AdaptedModel
from adaptkit.requests import Measuring, Selection
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig
from adaptkit.task_types.columns import SHARED
from adaptkit.terminal.amounts import row_of
from adaptkit.terminal.asking import as_typed

_GROUPS_TOLD = 12


@dataclass(frozen=True, kw_only=True)
class HeadAnswers:
    """A task in several languages; `tasks` differ in their seed only."""

    model: AdaptedModel
    task: str
    tasks: tuple[Adapter, ...]
    domains: tuple[Adapter, ...]
    data: str | os.PathLike[str] | Mapping[str, TaskData] | None
    selection: Selection
    measuring: Measuring
    normalize: NormalForm | None
    named: NamedStack | None = None

    @property
    def tops(self) -> tuple[tuple[Adapter, ...], ...]:
        """Domain adapters, and the task adapter of each seed."""
        return tuple((*self.domains, task) for task in self.tasks)

    @property
    def seeds(self) -> tuple[int, ...]:
        """As they were recorded, else counted."""
        return tuple(_seed(task, number) for number, task in enumerate(self.tasks))

    @property
    def adapters(self) -> tuple[str, ...]:
        """The task adapters with the start of their hashes, and what they scored in training."""
        return tuple(f"{task.id} ({task.weights_sha256[:12]}{_scored(task)})" for task in self.tasks)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """Those of the benchmark, else those of the task type."""
        if self.task in TASKS or not isinstance(self.data, Mapping):
            return task_spec(self.task).metrics
        return self._head.row.default_metrics

    @property
    def reads_glosses(self) -> bool:
        """As the head says."""
        return self._head.reads_glosses

    @property
    def _head(self) -> HeadConfig:
        head = self.tasks[0].config.head
        assert head is not None  # noqa: S101 - checked when it was given
        return head

    def test(self, language: str) -> LanguageTest:
        """Examples whose labels the head knows.

        Raises:
            DataError: No such data, or malformed.
            ConfigError: A label that the head does not know.
        """
        examples = self._examples(language)
        _require_known_labels(self._head, language, examples)
        head = self._head
        metrics = task_metrics(self.metrics, head, language, examples)
        return LanguageTest(language, examples, metrics, ClassTest.of(head, language, examples))

    def notes(self, tests: Sequence[LanguageTest]) -> Iterator[str]:
        """What was chosen, what of the tests is not read, and answers that cannot be given."""
        yield from self._choice_notes([test.language for test in tests])
        bound = self.measuring.max_answer_tokens
        for test in tests:
            yield from loss_notes(self.model.backbone, self._head, bound, test.language, test.examples)
        for test in tests:
            yield from ignored_notes(self._head, test.examples)

    def adapter_notes(self, test: LanguageTest, adapters: Sequence[Adapter]) -> Iterator[str]:
        """Those whose text was in another normal form."""
        return form_notes(test.language, self.texts(test), adapters)

    def texts(self, test: LanguageTest) -> Iterator[str]:
        """What a model reads of the examples."""
        return (text for example in test.examples for text in texts_of(example))

    def key(self, example: Example) -> Hashable:
        """Its texts."""
        return key_of(texts_of(example))

    def majorities(self, tests: Sequence[LanguageTest]) -> Iterator[Majority]:
        """The accuracy of the most frequent label, where each example has one."""
        if self.metrics[0] != "accuracy":
            return
        for test in tests:
            labels = [self._head.row.labels_of(example) for example in test.examples]
            if all(len(each) == 1 for each in labels):
                most = max(Counter(labels).values())
                yield Majority(language=test.language, accuracy=100 * most / len(labels))

    def stack(self, condition: Condition, below: Sequence[Adapter]) -> str:
        """The stack of the first seed."""
        return str(self._answering(condition, below, self.tops[0]))

    def identity(self, test: LanguageTest, condition: Condition) -> tuple[object, ...]:
        """The bound on answers, where one was asked for, the classes that are counted, and what was named."""
        bound = self.measuring.max_answer_tokens
        classes = () if test.by_class is None else ("by class", *test.by_class.labels)
        named = ("named", self.stack(condition, ())) if condition == "stack" else ()
        return (*(() if bound is None else (bound,)), *classes, *named)

    def measure(
        self,
        test: LanguageTest,
        condition: Condition,
        below: Sequence[Adapter],
        top: Sequence[Adapter],
    ) -> Measured:
        """Predict and score."""
        return measure(
            self.model,
            self._answering(condition, below, top),
            test.examples,
            test.metrics,
            test.by_class,
            batch_size=self.measuring.batch_size,
            max_answer_tokens=self.measuring.max_answer_tokens,
        )

    @property
    def shows_examples(self) -> bool:
        """Where they were asked for: their text is the caller's data."""
        return self.measuring.examples > 0

    def turned(
        self,
        test: LanguageTest,
        condition: Condition,
        below: Sequence[Adapter],
        without: Sequence[Measured],
        having: Sequence[Measured],
    ) -> Iterator[TurnedExample]:
        """As many as were asked for of each way, answered again by the first seed."""
        name = self.metrics[0]
        showing = Showing(
            model=self.model,
            head=self._head,
            metric=test.metrics[name],
            without=stack_for((), self.tops[0]),
            having=self._answering(condition, below, self.tops[0]),
            explain=self.measuring.explain,
            max_answer_tokens=self.measuring.max_answer_tokens,
        )
        for each in chosen_examples(test.metrics[name], name, without, having, self.measuring.examples):
            yield showing.shown(test.examples[each.number], each, test.language, condition)

    def _answering(self, condition: Condition, below: Sequence[Adapter], top: Sequence[Adapter]) -> Stack | Ensemble:
        """What answers under a condition."""
        if condition == "stack" and self.named is not None:
            return self.named.answering
        return stack_for(below, top)

    def _choice_notes(self, languages: Sequence[str]) -> Iterator[str]:
        if self.selection.group is not None:
            yield f"only examples of the group {self.selection.group}."
        if isinstance(self.data, Mapping):
            yield from (f"{language}: {note}." for language in languages for note in self.data[language].found)
        elif self.selection.split != "test":
            yield f"examples of the split {self.selection.split}, not of the test set."
        if self.normalize is not None:
            yield f"test texts were read in {self.normalize}."
        if self.measuring.max_answer_tokens is not None:
            yield f"answers have up to {self.measuring.max_answer_tokens} tokens, whatever the head says."

    def _examples(self, language: str) -> Sequence[Example]:
        if isinstance(self.data, Mapping):
            if language not in self.data:
                raise SourceNotFound(
                    f"{as_typed(data=...)} has no examples in {language}; it has {', '.join(self.data)}."
                )
            found = self.data[language]
        else:
            data = None if self.data is None else os.fspath(self.data)
            found = read_task(self.task, data=data, language=language, split=self.selection.split)
        found = normalized_data(found, self.normalize)
        # A group is chosen before the limit counts.
        examples = [example for example in found.examples if self.selection.group in (None, example.group)]
        if not examples:
            raise SourceNotFound(_no_such_group(found, self.selection.group))
        limit = self.selection.limit
        return examples if limit is None else [examples[number] for number in spread(len(examples), limit)]


def _require_known_labels(head: HeadConfig, language: str, examples: Sequence[Example]) -> None:
    if not head.labels or head.row.unknown_labels == "told":
        return
    for number, example in enumerate(examples):
        for label in head.row.labels_of(example):
            if label not in head.labels:
                raise ConfigError(
                    f"{row_of(number, 'examples')} in {language} has the label {label!r}, and the task adapter knows "
                    f"{', '.join(head.labels)}. Is it another task, or is the label spelled in another way?"
                )


def _scored(task: Adapter) -> str:
    scored = "" if task.card.training is None else task.card.training.scored
    return f"; in training {scored}" if scored else ""


def _seed(task: Adapter, number: int) -> int:
    facts = task.card.training
    seed = facts.settings.get("seed") if facts is not None else None
    return seed if isinstance(seed, int) else number


def _no_such_group(data: TaskData, asked: str | None) -> str:
    groups = sorted({example.group for example in data.examples if example.group})
    if not groups:
        columns = " or ".join(SHARED["group"])
        return (
            f"{data.description} has no examples of group {asked!r}, as none of its examples names a group. In a file "
            f"that is the column {columns}, or the one that is named: {as_typed(columns={'group': '...'})}."
        )
    more = f", and {len(groups) - _GROUPS_TOLD} more" if len(groups) > _GROUPS_TOLD else ""
    told = ", ".join(map(repr, groups[:_GROUPS_TOLD]))
    return f"{data.description} has no examples of group {asked!r}; its groups are {told}{more}."
