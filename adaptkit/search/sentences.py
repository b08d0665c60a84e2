"""The sentences of a corpus that can be found, each once, and what a search gives of one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from adaptkit.data.corpus import TextSource, open_corpus


@dataclass(frozen=True)
class Hit:
    """A sentence that was found.

    Attributes:
        rank: 1 is the nearest.
        row: its number among the texts of the corpus, from 0, empty ones counted; of equal texts, the first one's.
        text: the sentence; None where the index keeps no text.
        similarity: the cosine of its vector and the query's.
    """

    rank: int
    row: int
    text: str | None
    similarity: float


@dataclass(frozen=True)
class Sentences:
    """Different sentences in the order of their first rows; `texts` is None where none is kept.

    `n_given` counts the repeats too, and `sha256` is of all texts with their rows.
    """

    description: str
    rows: tuple[int, ...]
    texts: tuple[str, ...] | None
    n_given: int
    sha256: str

    def __len__(self) -> int:
        return len(self.rows)

    def without_text(self) -> "Sentences":
        """The same, by their rows alone."""
        return replace(self, texts=None)

    def hit(self, rank: int, number: int, similarity: float) -> Hit:
        """The sentence of this number as what was found at a rank."""
        return Hit(rank, self.rows[number], None if self.texts is None else self.texts[number], similarity)


def distinct_sentences(source: "TextSource | Sequence[str]", *, column: str | None = None) -> Sentences:
    """Read a corpus as `open_corpus` does, each text once.

    Raises:
        DataError, ConfigError: As `open_corpus`, and where it holds no text.
    """
    corpus = open_corpus(source, column=column)
    once: dict[str, int] = {}
    digest, n_given = hashlib.sha256(), 0
    for row, text in corpus.numbered():
        once.setdefault(text, row)
        digest.update(f"{row}\t{text}\n".encode())
        n_given += 1
    return Sentences(corpus.description, tuple(once.values()), tuple(once), n_given, digest.hexdigest())
