"""What each source of a mix holds, and what they have in common: counted while somebody else reads the text."""

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from adaptkit.data.fullness import fullness_of
from adaptkit.data.letters import normalized
from adaptkit.data.sentence import Sentence


@dataclass(frozen=True, kw_only=True)
class SourceLines:
    """The lines of one source.

    Attributes:
        lines: how many.
        sha256: of the text: every line, with a tab and its translation behind it where it has one, ended by a line end.
        median_words: half of the lines have so many words or fewer; in a script without spaces, letters count.
        p90_words: nine of ten have so many or fewer.
        full_sentences: the share that ends like a sentence and has at least four words (or eight letters).
    """

    lines: int
    sha256: str
    median_words: float
    p90_words: float
    full_sentences: float


@dataclass(frozen=True)
class SharedLines:
    """How many different lines stand both in the source of number `first` and in that of `second`, from 0."""

    first: int
    second: int
    lines: int


class Survey:
    """Counts the sentences that are read through it; twelve bytes a line stay in memory."""

    def __init__(self, n_sources: int) -> None:
        self._sources = [_Source() for _ in range(n_sources)]

    def watched(self, rows: Iterable[Sentence]) -> Iterator[Sentence]:
        """The same sentences, counted."""
        for row in rows:
            self._sources[row.part].take(row)
            yield row

    def sources(self) -> tuple[SourceLines, ...]:
        """What each has."""
        return tuple(source.found() for source in self._sources)

    def shared(self) -> tuple[SharedLines, ...]:
        """What each two have in common, where that is anything; lines that differ in their normal form are one."""
        members, counts = np.unique(self._members(), return_counts=True)
        found: dict[tuple[int, int], int] = {}
        for member, count in zip(members.tolist(), counts.tolist(), strict=True):
            having = [number for number in range(len(self._sources)) if member >> number & 1]
            for pair in combinations(having, 2):
                found[pair] = found.get(pair, 0) + count
        return tuple(SharedLines(*pair, count) for pair, count in sorted(found.items()))

    def _members(self) -> NDArray[np.uint64]:
        """For each different line, the sources that have it, a bit each."""
        own = [np.unique(np.frombuffer(source.hashes, dtype=np.uint64)) for source in self._sources]
        if not any(map(len, own)):
            return np.zeros(0, np.uint64)
        hashes = np.concatenate(own)
        bits = np.concatenate([np.full(len(lines), 1 << number, np.uint64) for number, lines in enumerate(own)])
        order = np.argsort(hashes, kind="stable")
        _, starts = np.unique(hashes[order], return_index=True)
        return np.bitwise_or.reduceat(bits[order], starts)


class _Source:
    def __init__(self) -> None:
        self.hashes = array("Q")
        self._words = array("I")
        self._digest = hashlib.sha256()
        self._n_full = 0

    def take(self, row: Sentence) -> None:
        digest = hashlib.blake2b(normalized(row.text, "NFC").encode(), digest_size=8).digest()
        self.hashes.append(int.from_bytes(digest, "little"))
        n_words, is_full = fullness_of(row.text)
        self._words.append(n_words)
        self._n_full += is_full
        whole = row.text if row.translation is None else f"{row.text}\t{row.translation}"
        self._digest.update(f"{whole}\n".encode())

    def found(self) -> SourceLines:
        n = len(self.hashes)
        median, p90 = np.percentile(self._words, (50, 90)).tolist() if n else (0.0, 0.0)
        return SourceLines(
            lines=n,
            sha256=self._digest.hexdigest(),
            median_words=round(median, 1),
            p90_words=round(p90, 1),
            full_sentences=round(self._n_full / max(n, 1), 4),
        )
