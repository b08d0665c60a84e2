"""A task type: all that is known of it, as one row of a table."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar

from adaptkit.data.letters import NormalForm, normalized
from adaptkit.data.tasks import Example, TaskData
from adaptkit.data.tasks.label_rules import Dropped, LabelRules
from adaptkit.data.tasks.labelled_row import LabelledRow
from adaptkit.task_types.classes import Classes
from adaptkit.task_types.head_fields import HeadFields
from adaptkit.task_types.item import Item
from adaptkit.task_types.left_out import cut_examples
from adaptkit.task_types.task_metric import TaskMetric
from adaptkit.task_types.tensor_shapes import Shapes

ExampleT = TypeVar("ExampleT", bound=Example)
Watched = TypeVar("Watched", bound=Example, contravariant=True)
PredictionT = TypeVar("PredictionT")


@dataclass(frozen=True)
class Asked:
    """What a caller of `read_labelled` says of the examples; `nli` None is by the labels."""

    task_type: str | None = None
    labels: tuple[str, ...] = ()
    nli: bool | None = None


class Reading(Protocol[Watched]):
    """One reading of labelled data: it sees every example, and has the last word on them all."""

    def add(self, example: Watched, place: LabelledRow | int) -> None:
        """Take note of an example; `place` is its row, or its index in a list of examples."""
        ...

    def finished(self, data: TaskData, asked: Asked) -> TaskData:
        """The data as it is meant. It may turn out to be of another task type, if none was asked for.

        Raises:
            DataError, ConfigError: Examples that do not go together.
        """
        ...


class Losses(Protocol[Watched]):
    """What of examples was lost when they became items."""

    def __call__(
        self, head: HeadFields, examples: Sequence[Watched], items: Sequence[Item], /, *, max_length: int, scored: bool
    ) -> list[str]:
        """A sentence for each loss.

        `max_length` is that of a row in tokens. In training, items without a target are left out; where answers are
        `scored`, nothing is.
        """
        ...


class PlainReading:
    """A reading that leaves everything as it is."""

    def add(self, example: Example, place: LabelledRow | int) -> None:
        """Nothing is noted."""

    def finished(self, data: TaskData, asked: Asked) -> TaskData:  # noqa: ARG002 - the contract of readings
        """The same."""
        return data


def cells(line: str) -> object:
    """What a line of the terminal gives: a text, or several with tabs between."""
    found = line.split("\t")
    return found[0] if len(found) == 1 else tuple(found)


def name_and_labels(head: HeadFields) -> str:
    """The task type, and the labels if there are any."""
    return head.task_type + (f", labels: {', '.join(head.labels)}" if head.labels else "")


@dataclass(frozen=True, kw_only=True)
class TaskType(Generic[ExampleT, PredictionT]):
    """A row of `TASK_TYPES`. Its upper half, which computes, is a `adaptkit.heads.TaskFormat`, named by `upper`.

    Attributes:
        name: by which it is asked for, and stored.
        title: in words, where the name says too little.
        example: a frozen dataclass. Types that share one also share `texts`, `labels`, `blank` and what is read.
        columns: what the column of each role is called in a table; an earlier name goes before a later one. The first
            row of `TASK_TYPES` whose columns are all there decides the type.
        optional: roles that need no column.
        make: the example of a row; None, and counted, where it has no usable label or answer.
        from_lines: a file that is not a table has a word in each line (CoNLL).
        reading: begins a reading of such data.
        plain: the example of a plain input of `predict` with its number; None where it has another form.
        plain_form: that form, in words.
        of_line: the plain input of a line of the terminal.
        texts: fields of an example that are text, or tuples of texts.
        labels: those that are labels. A role of the first one's name is the column of labels.
        no_label: what stands among labels where there is none: nothing is learned from it, and it is not scored.
        blank: what the fields that say the answer hold where nobody has labelled an example.
        read_as: what a model reads of an example, if not each of its texts.
        settled: an example as if it had been read from a file, if more than labels in NFC.
        respelled: an example in a normal form, if more than its texts and labels.
        least_labels: fewest labels that a head has; 0 where it has none.
        weighs_classes: whether the loss chooses one label for each target, and reads the `class_weights` of a batch.
        right_or_wrong: whether an answer is right or wrong, and not a number that is nearer or less near.
        unknown_labels: whether test examples with labels that a head does not have are refused or told of by `ignored`.
        head_fields: fields of a head for data, beside type and labels; `ConfigError` where data makes no head.
        fitted: those that depend on the items it is trained on.
        reads_glosses: whether a glossary that was not asked for lies below it, where it reads single texts.
        by_words: whether words may be translated one by one, with labels that stay right, and written as such columns.
        word_by_word: the example with its words translated, where some of them are names, which are changed otherwise.
        averaged: one answer of those that several heads give to an input; None where answers have no mean.
        writes: whether the answer is a text that is written, token by token, and not what a head gives on states.
        endpoint: where a server answers it, behind `/v1/`.
        bounds_answers: whether `max_answer_tokens` of a head, and of a prediction, means something here.
        together: refuses data of several languages that do not make one task.
        metrics: by name, each for a head, a language and the examples; all scores lie between 0 and 100.
        default_metrics: the names of those that are reported where no benchmark says them, the main one first.
        classes: how answers are counted by class; None where there are no classes.
        constant_loss: that of the same answer to each of these items, if not the entropy of the labels.
        warmup_share: share of the steps over which the learning rate rises, if not the usual one.
        told: the head on a card. `form` adds to the line on the data of a plan, `plan` adds lines.
        lost: what is lost of examples.
        ignored: what of test examples cannot be told by this head, in sentences.
        transformers_class: the class with the same head, of one linear layer on every token.
        pipeline: the task of the transformers pipeline with the same answers; `no_pipeline` says why there is none.
        hub_task: what model hubs call it (`pipeline_tag`).
        tensors: the head's tensors for a hidden width.
        upper: the upper half.
    """

    name: str
    example: type[ExampleT]
    columns: Mapping[str, tuple[str, ...]]
    make: Callable[[LabelledRow, LabelRules, Dropped], ExampleT | None]
    plain: Callable[[int, object], ExampleT | None]
    plain_form: str
    texts: tuple[str, ...]
    blank: Mapping[str, object]
    metrics: Mapping[str, Callable[[HeadFields, str, Sequence[ExampleT]], TaskMetric[PredictionT, ExampleT]]]
    default_metrics: tuple[str, ...]
    tensors: Callable[[HeadFields, int], Shapes]
    upper: Callable[[], Any]
    title: str = ""
    optional: frozenset[str] = frozenset()
    from_lines: bool = False
    reading: Callable[[], Reading[ExampleT]] = PlainReading
    of_line: Callable[[str], object] = cells
    labels: tuple[str, ...] = ()
    no_label: str | None = None
    read_as: Callable[[ExampleT], Iterable[str]] | None = None
    settled: Callable[[ExampleT, LabelRules], ExampleT] | None = None
    respelled: Callable[[ExampleT, NormalForm], ExampleT] | None = None
    least_labels: int = 0
    weighs_classes: bool = False
    right_or_wrong: bool = True
    unknown_labels: Literal["refused", "told"] = "refused"
    head_fields: Callable[[TaskData], Mapping[str, Any]] = lambda _: {}
    fitted: Callable[[HeadFields, Sequence[Item]], Mapping[str, Any]] = lambda *_: {}
    reads_glosses: bool = False
    by_words: bool = True
    word_by_word: Callable[[ExampleT, Callable[[str], str], Callable[[str], str]], ExampleT] | None = None
    averaged: Callable[[Sequence[PredictionT]], PredictionT] | None = None
    writes: bool = False
    endpoint: Literal["classify", "tag", "answer"] = "classify"
    bounds_answers: bool = False
    together: Callable[[Sequence[TaskData]], None] = lambda _: None
    classes: Classes | None = None
    constant_loss: Callable[[Sequence[Item]], float] | None = None
    warmup_share: float | None = None
    told: Callable[[HeadFields], str] = name_and_labels
    form: Callable[[HeadFields], str] = lambda _: ""
    plan: Callable[[HeadFields, Sequence[Item]], list[str]] = lambda *_: []
    lost: Losses[ExampleT] = cut_examples
    ignored: Callable[[HeadFields, Sequence[ExampleT]], list[str]] = lambda *_: []
    transformers_class: Callable[[], Any] | None = None
    pipeline: str | None = None
    no_pipeline: str = "there is none"
    hub_task: str = "other"

    @property
    def in_words(self) -> str:
        """Its name, and what that means where it says too little."""
        return f"{self.name} ({self.title})" if self.title else self.name

    @property
    def label_role(self) -> str | None:
        """The role of the column of labels."""
        return self.labels[0] if self.labels else None

    def labels_of(self, example: ExampleT) -> tuple[str, ...]:
        """All labels of an example."""
        labels = (label for name in self.labels for label in _several(getattr(example, name)))
        return tuple(label for label in labels if label != self.no_label)

    def texts_of(self, example: ExampleT) -> Iterator[str]:
        """What a model reads of an example."""
        if self.read_as is not None:
            yield from self.read_as(example)
            return
        for name in self.texts:
            yield from filter(None, _several(getattr(example, name)))

    def without_label(self, example: ExampleT) -> ExampleT:
        """The example as one that nobody has labelled."""
        return replace(example, **self.blank)

    def as_read(self, example: ExampleT, rules: LabelRules) -> ExampleT:
        """An example as if it had been read from a file: labels in NFC, and what `settled` adds."""
        plain = self._with(example, self.labels, "NFC")
        return plain if self.settled is None else self.settled(plain, rules)

    def in_form(self, example: ExampleT, form: NormalForm) -> ExampleT:
        """The example in a normal form."""
        if self.respelled is not None:
            return self.respelled(example, form)
        return self._with(example, (*self.texts, *self.labels), form)

    def with_texts(self, example: ExampleT, change: Callable[[str], str]) -> ExampleT:
        """The example with each of its texts changed."""
        return self._changed(example, self.texts, change)

    def with_words(
        self, example: ExampleT, change: Callable[[str], str], change_name: Callable[[str], str]
    ) -> ExampleT:
        """The example with its words translated by `change`, which takes a text or a word, but for names."""
        if self.word_by_word is None:
            return self.with_texts(example, change)
        return self.word_by_word(example, change, change_name)

    def _with(self, example: ExampleT, names: Iterable[str], form: NormalForm) -> ExampleT:
        return self._changed(example, names, lambda text: normalized(text, form))

    def _changed(self, example: ExampleT, names: Iterable[str], change: Callable[[str], str]) -> ExampleT:
        return replace(example, **{name: _each(getattr(example, name), change) for name in names})


AnyTaskType: TypeAlias = TaskType[Any, Any]


def _several(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - a text, several, or none
    return value if isinstance(value, tuple) else (value,)


def _each(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - a text, several, or none
    if isinstance(value, tuple):
        return tuple(map(change, value))
    return value if value is None else change(value)
