"""What a projection of parts of speech gives: sentences whose words have tags, or none where none is known."""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from adaptkit.data.tasks import TaskData
from adaptkit.projection.left_out import lines_of
from adaptkit.projection.written import conll, require_conll, written
from adaptkit.scores import UNTAGGED
from adaptkit.task_types import TaggedSentence
from adaptkit.terminal.amounts import counted


@dataclass(frozen=True, kw_only=True)
class ProjectedTags:
    """A sentence in the language, its tags, `_` where there is none, and the translation that they are from."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    source_words: tuple[str, ...]
    source_tags: tuple[str, ...]

    @property
    def share(self) -> float:
        """Of its words, how many have a tag: 0 to 1."""
        return 1 - self.tags.count(UNTAGGED) / len(self.tags)


@dataclass(frozen=True, kw_only=True)
class TagProjection:
    """Tagged sentences in a language, for `train_adapter(task=..., data=[english, projection.data])`.

    `left_out` counts by reason the pairs of sentences that are not among them.
    """

    language: str
    sentences: tuple[ProjectedTags, ...]
    left_out: Mapping[str, int]
    description: str

    @property
    def share(self) -> float:
        """Of the words, how many have a tag: 0 to 1."""
        tags = self._tags
        return 1 - tags[UNTAGGED] / max(1, tags.total())

    @property
    def data(self) -> TaskData:
        """The sentences as labelled data of a task."""
        return TaskData(
            task_type="pos",
            examples=[
                TaggedSentence(words=sentence.words, tags=sentence.tags, language=self.language)
                for sentence in self.sentences
            ],
            labels=tuple(sorted(self._tags.keys() - {UNTAGGED})),
            description=self.description,
            dropped=dict(self.left_out),
            notes=(f"projected: {self._in_words}",),
        )

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the sentences in the CoNLL layout, a word and its tag on a line, whole or not at all.

        Raises:
            ConfigError: There is such a file and `overwrite` is not set, or its name is that of another format.
            CannotWrite: The file cannot be written.
        """
        require_conll(Path(path))
        return written(path, (conll(each.words, each.tags) for each in self.sentences), overwrite=overwrite)

    @cached_property
    def _tags(self) -> Counter[str]:
        """Counted once: labels, share and all that is told of the words come of it."""
        return Counter(tag for sentence in self.sentences for tag in sentence.tags)

    @property
    def _in_words(self) -> str:
        n_words = self._tags.total()
        tagged = f"{n_words - self._tags[UNTAGGED]:,} of {n_words:,} words tagged ({self.share:.0%})"
        return f"{counted(len(self.sentences), 'sentence')} in {self.language}, {tagged}"

    def __str__(self) -> str:
        return "\n".join([self._in_words, *lines_of(self.left_out)])
