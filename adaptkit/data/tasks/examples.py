"""Labelled examples of each task type, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from adaptkit.config import TaskType as TaskType


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledText:
    """A text, or a pair of texts, with a label. `language` and `group` (a genre, a domain) may be unknown."""

    text: str
    pair: str | None = None
    label: str
    language: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedSentence:
    """Words with a tag each, in the BIO scheme for entities."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    language: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question on a context. Each answer is a text and the character where it starts; none means no answer."""

    id: str
    question: str
    context: str
    answers: tuple[tuple[str, int], ...]
    language: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MultipleChoice:
    """A prompt (for XCOPA with its question of cause or effect) and choices, of which number `answer` is right."""

    prompt: str
    choices: tuple[str, ...]
    answer: int
    language: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarPair:
    """Two sentences and how close they are in meaning, from 0 to 1."""

    first: str
    second: str
    score: float
    language: str | None = None
    group: str | None = None


Example: TypeAlias = LabelledText | TaggedSentence | Question | MultipleChoice | SimilarPair


@dataclass(frozen=True, kw_only=True)
class TaskData:
    """Examples of one task type. `labels` are the labels or tags in their order; empty where the type has none.

    `description` is for cards and messages: a name of the data, without folders. `dropped` counts, by reason,
    what was left out for want of a usable label or answer; `notes` say in a line each what else was found in reading.
    """

    task_type: TaskType
    examples: Sequence[Example]
    labels: tuple[str, ...]
    description: str
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
