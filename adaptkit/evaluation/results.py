"""What a transfer evaluation found: one cell for each language and condition, and the comparisons between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from adaptkit.explanations import ExplainedWord
from adaptkit.format.typed_json import since
from adaptkit.scores import Difference

Condition: TypeAlias = Literal["none", "source", "target", "relative", "stack"]
CONDITIONS: tuple[Condition, ...] = ("none", "source", "target", "relative", "stack")
"""Which language adapter lies below the task adapter: none, that of the task's training language, that of the test
language, or that of the test language's nearest relative with an adapter; with a glossary of the language, if any.
Under `stack` answers what the caller named, with the heads in it."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One test language under one condition. Scores run from 0 to 100, one for each seed of the task adapter.

    `scores` are by metric name; the first metric is the one that comparisons use. `adapter_bytes` is the size of the
    adapters in the stack, `peak_memory_bytes` the most the process has held by the end of the cell.
    """

    language: str
    condition: Condition
    stack: str
    scores: Mapping[str, tuple[float, ...]]
    n_examples: int
    examples_per_s: float
    peak_memory_bytes: int
    adapter_bytes: int

    @property
    def together(self) -> str:
        """The language adapters in the stack where there are several, `language/ha-glossary > language/ha`; or empty.

        Of a retrieval, those that the sentences of the test language are encoded under; none of a named stack.
        """
        if self.condition == "stack":
            return ""
        below = [name for name in self.stack.partition(";")[0].split(" > ") if name.startswith("language/")]
        return " > ".join(below) if len(below) > 1 else ""


@dataclass(frozen=True, kw_only=True)
class MeasuredAdapter:
    """A language adapter that was measured, maybe with another, or any adapter of a named stack.

    It has its id, the hash of its weight file, and its text. Which were measured together is said by the stacks of the
    cells.
    """

    id: str
    weights_sha256: str
    text: str
    licence: str


@dataclass(frozen=True, kw_only=True)
class Majority:
    """The accuracy, 0 to 100, of always giving the most frequent label of a language's test."""

    language: str
    accuracy: float


@dataclass(frozen=True, kw_only=True)
class TurnedExample:
    """A test example whose answer a language adapter turned right or wrong in the first seed; `seeds` in how many.

    `texts` are what a model reads, `gold` the right answer, `before` the one without a language adapter and `after`
    that with it, in words. Where it was asked for, `words` say what speaks for `target`, which is new in the answer.
    """

    language: str
    condition: Condition
    turned: Literal["right", "wrong"]
    texts: tuple[str, ...]
    gold: str
    before: str
    after: str
    seeds: int
    target: str = ""
    words: tuple[ExplainedWord, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """A test in which rows repeat a text, or with too few texts for a verdict (not `enough`)."""

    language: str
    rows: int
    texts: int
    enough: bool


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """A condition against `against` on the same test examples, in points of the first metric."""

    language: str
    condition: Condition
    against: Condition
    difference: Difference


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """One class of a language's test under a condition.

    `correct`, `predicted` and `gold` are counts over all seeds together, of `counted` (examples, words, entities), and
    `n` those of the class in the test. `gain` is that of its F1 over `none`, in points, the mean over seeds as in every
    comparison; None under `none`.
    """

    language: str
    condition: Condition
    label: str
    n: int
    correct: int
    predicted: int
    gold: int
    counted: str
    gain: Difference | None

    @property
    def precision(self) -> float | None:
        """0 to 100; None where the class was never answered."""
        return 100 * self.correct / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        """0 to 100; None where the test has none of it."""
        return 100 * self.correct / self.gold if self.gold else None

    @property
    def f1(self) -> float:
        """0 to 100."""
        return 200 * self.correct / (self.predicted + self.gold)


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """How often one class was answered where another was right, without and with an adapter: that which grew most.

    `before`, `after` and `n`, how often it was right, are counts over all seeds together, of `counted`.
    """

    language: str
    condition: Condition
    right: str
    answered: str
    before: int
    after: int
    n: int
    counted: str


@dataclass(frozen=True, kw_only=True)
class TransferResults:
    """Everything that a report shows. `notes` say what a reader must know: a limit, missing adapters, leaked text."""

    task: str
    metrics: tuple[str, ...]
    source_language: str
    adapters: tuple[str, ...]
    backbone: str
    seeds: tuple[int, ...]
    limit: int | None
    cells: tuple[Cell, ...]
    comparisons: tuple[Contrast, ...]
    notes: tuple[str, ...]
    environment: Mapping[str, str]
    """Date, commit, hardware and versions."""
    language_adapters: tuple[MeasuredAdapter, ...] = since(2, ())
    majority: tuple[Majority, ...] = since(2, ())
    turned: tuple[TurnedExample, ...] = since(3, ())
    repeated: tuple[Repeated, ...] = since(4, ())
    classes: tuple[ClassScore, ...] = since(5, ())
    confusions: tuple[Confusion, ...] = since(5, ())
    stack: str = since(6, "")
    """The stack or ensemble that was named, with whole ids; empty where there was none."""
