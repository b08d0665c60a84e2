"""What a projection of parts of speech gives: sentences whose words have tags, or none where none is known."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from adaptkit.data.tasks import TaskData
from adaptkit.projection.written import written
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

    `n_pairs` is how many pairs of sentences were read, of which these are the best.
    """

    language: str
    sentences: tuple[ProjectedTags, ...]
    n_pairs: int
    description: str

    @property
    def share(self) -> float:
        """Of the words, how many have a tag: 0 to 1."""
        tags = self._tags
        return 1 - tags[UNTAGGED] / tags.total()

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
            notes=(f"projected: {self}",),
        )

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the sentences in the CoNLL layout, a word and its tag on a line, whole or not at all.

        Raises:
            ConfigError: There is such a file and `overwrite` is not set.
            CannotWrite: The file cannot be written.
        """
        return written(path, map(_as_conll, self.sentences), overwrite=overwrite)

    @property
    def _tags(self) -> Counter[str]:
        return Counter(tag for sentence in self.sentences for tag in sentence.tags)

    def __str__(self) -> str:
        n_words = self._tags.total()
        tagged = f"{n_words - self._tags[UNTAGGED]:,} of {n_words:,} words tagged ({self.share:.0%})"
        best = f"the best of {counted(self.n_pairs, 'pair')}"
        return f"{counted(len(self.sentences), 'sentence')} in {self.language}, {best}: {tagged}"


def _as_conll(sentence: ProjectedTags) -> str:
    return "\n".join([*(f"{word}\t{tag}" for word, tag in zip(sentence.words, sentence.tags, strict=True)), ""])
