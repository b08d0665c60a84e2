"""Tokenised sentences, held once, as compact arrays."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Tokenize: TypeAlias = Callable[[Sequence[str]], list[list[int]]]

_LINES_AT_ONCE = 2048


class TokenStore(Sequence[Sequence[int]]):
    """Token ids of many sentences: one flat int32 array and the offsets into it, 4 bytes a token."""

    def __init__(self, rows: Iterable[Sequence[int]]) -> None:
        pieces: list[NDArray[np.int32]] = []
        lengths: list[int] = []
        for row in rows:
            pieces.append(np.asarray(row, dtype=np.int32))
            lengths.append(len(row))
        self._flat: NDArray[np.int32] = np.concatenate(pieces) if pieces else np.zeros(0, np.int32)
        self._offsets: NDArray[np.int64] = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> Sequence[int]:  # type: ignore[override]  # slices are not offered
        if not 0 <= row < len(self):
            raise IndexError(row)
        ids: list[int] = self._flat[self._offsets[row] : self._offsets[row + 1]].tolist()
        return ids

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens in each sentence."""
        return np.diff(self._offsets)

    @property
    def n_tokens(self) -> int:
        """Tokens in all sentences."""
        return int(self._offsets[-1])

    def vocabulary(self) -> NDArray[np.int32]:
        """The distinct token ids, ascending."""
        return np.unique(self._flat)

    def sha256(self) -> str:
        """Identity of the content, so that a resumed run can tell that its text is the same."""
        digest = hashlib.sha256(self._flat.tobytes())
        digest.update(self._offsets.tobytes())
        return digest.hexdigest()


def tokenize_lines(lines: Iterable[str], tokenize: Tokenize) -> Iterator[list[int]]:
    """Token ids line by line, tokenized some thousand lines at a time."""
    lines = iter(lines)
    while chunk := list(islice(lines, _LINES_AT_ONCE)):
        yield from tokenize(chunk)
