"""What a projection gives: sentences with tags, how sure they are, and what was left out."""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError
from adaptkit.projection.copies import How
from adaptkit.projection.entities import Span, spans_of
from adaptkit.projection.left_out import lines_of
from adaptkit.projection.written import conll, require_conll, written
from adaptkit.task_types import TaggedSentence
from adaptkit.terminal.amounts import counted


@dataclass(frozen=True, kw_only=True)
class ProjectedSentence:
    """A sentence in the language, its tags in BIO, and the translation that they are from, with its own.

    `confidence` is that of the least sure of its entities, 1.0 where there are none; `how` says by what each was found.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    confidence: float
    how: tuple[How, ...]
    source_words: tuple[str, ...]
    source_tags: tuple[str, ...]

    @property
    def entities(self) -> tuple[tuple[str, str], ...]:
        """Each entity with its type: ("Nairobi", "LOC")."""
        return tuple((" ".join(self.words[span.start : span.end]), span.kind) for span in self._spans)

    @property
    def _spans(self) -> list[Span]:
        return spans_of(self.tags)


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Labelled sentences in a language, for `train_adapter(task=..., data=[english, projection.data])`.

    `left_out` counts by reason the pairs of sentences that are not among them.
    """

    language: str
    sentences: tuple[ProjectedSentence, ...]
    left_out: Mapping[str, int]
    description: str

    @cached_property
    def found(self) -> Mapping[str, int]:
        """How many entities were found by what, most first."""
        return dict(Counter(how for sentence in self.sentences for how in sentence.how).most_common())

    @cached_property
    def kinds(self) -> Mapping[str, int]:
        """How many entities there are of each type, most first."""
        return dict(Counter(kind for sentence in self.sentences for _, kind in sentence.entities).most_common())

    @property
    def data(self) -> TaskData:
        """The sentences as labelled data of a task.

        Raises:
            ConfigError: There is no entity in them.
        """
        if not self.kinds:
            raise ConfigError(
                f"{self.description} holds no entity that was found, so that nothing can be learnt of it."
            )
        tags = [f"{mark}-{kind}" for kind in sorted(self.kinds) for mark in "BI"]
        return TaskData(
            task_type="tagging",
            examples=[
                TaggedSentence(words=sentence.words, tags=sentence.tags, language=self.language)
                for sentence in self.sentences
            ],
            labels=(*tags, "O"),
            description=self.description,
            dropped=dict(self.left_out),
            notes=(f"projected: {self._in_words()}",),
        )

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the sentences in the CoNLL layout, a word and its tag on a line, whole or not at all.

        Raises:
            ConfigError: There is such a file and `overwrite` is not set, it would hold nothing, or its name is that of
                another format.
            CannotWrite: The file cannot be written.
        """
        if not self.sentences:
            raise ConfigError(f"{self.description} gave no sentence; there is nothing to write to {path}.")
        require_conll(Path(path))
        sentences = (conll(each.words, each.tags, f"confidence = {each.confidence:.3f}") for each in self.sentences)
        return written(path, sentences, overwrite=overwrite)

    def _in_words(self) -> str:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.kinds.items()) or "no entities"
        ways = ", ".join(f"{count:,} by {how}" for how, count in self.found.items())
        return f"{counted(len(self.sentences), 'sentence')} in {self.language} with {kinds}" + (
            f" ({ways})" if ways else ""
        )

    def __str__(self) -> str:
        return "\n".join([self._in_words(), *lines_of(self.left_out)])
