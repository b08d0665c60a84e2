"""The table by which token ids become vectors, held in the form that the memory at hand allows.

A multilingual encoder is mostly this table: 96 of the 118 million parameters of multilingual-e5-small.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from adaptkit.backbones.checkpoint import RowReader, StoredTensor
from adaptkit.backbones.linears import bitsandbytes
from adaptkit.errors import ConfigError

EmbeddingForm: TypeAlias = Literal["resident", "paged", "int8", "nf4"]

CACHE_BYTES = 12 * 2**20
_NF4_BLOCK = 64
_ROWS_AT_ONCE = 8192


class WordEmbeddings(nn.Module):
    """A frozen table of `n_rows` vectors of `width`. Whatever its form, `rows` gives them in one type."""

    def __init__(self, n_rows: int, width: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.n_rows, self.width, self.dtype = n_rows, width, dtype

    def rows(self, ids: Tensor) -> Tensor:
        """The vectors of distinct ids, ascending. Shape: ids (n), result (n, width)."""
        raise NotImplementedError

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of token ids. Each distinct id is looked up once. Shape: ids (...), result (..., width)."""
        distinct, places = torch.unique(ids, return_inverse=True)
        return self.rows(distinct)[places]

    def extra_repr(self) -> str:
        """The sizes, for printing."""
        return f"{self.n_rows}, {self.width}"


class ResidentRows(WordEmbeddings):
    """Some rows of the table as they are stored."""

    def __init__(self, stored: StoredTensor, kept: NDArray[np.int64] | None, dtype: torch.dtype) -> None:
        super().__init__(_count(stored, kept), stored.shape[1], dtype)
        self.register_buffer("table", torch.empty(self.n_rows, self.width, dtype=dtype))
        for first, piece in _kept_pieces(stored, kept):
            self.get_buffer("table")[first : first + len(piece)] = piece

    def rows(self, ids: Tensor) -> Tensor:
        """The vectors of distinct ids, ascending. Shape: ids (n), result (n, width)."""
        return self.get_buffer("table")[ids]


class Int8Rows(WordEmbeddings):
    """Rows in 8 bits with one scale each."""

    def __init__(self, stored: StoredTensor, kept: NDArray[np.int64] | None, dtype: torch.dtype) -> None:
        super().__init__(_count(stored, kept), stored.shape[1], dtype)
        self.register_buffer("codes", torch.empty(self.n_rows, self.width, dtype=torch.int8))
        self.register_buffer("scales", torch.empty(self.n_rows, 1))
        for first, piece in _kept_pieces(stored, kept):
            scales = piece.float().abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
            self.get_buffer("codes")[first : first + len(piece)] = torch.round(piece.float() / scales).to(torch.int8)
            self.get_buffer("scales")[first : first + len(piece)] = scales

    def rows(self, ids: Tensor) -> Tensor:
        """The vectors of distinct ids, ascending. Shape: ids (n), result (n, width)."""
        return (self.get_buffer("codes")[ids] * self.get_buffer("scales")[ids]).to(self.dtype)


class Nf4Rows(WordEmbeddings):
    """Rows in 4-bit NormalFloat, a scale for each 64 values (Dettmers et al. 2023, arXiv:2305.14314)."""

    def __init__(self, stored: StoredTensor, kept: NDArray[np.int64] | None, dtype: torch.dtype) -> None:
        super().__init__(_count(stored, kept), stored.shape[1], dtype)
        self._n_blocks = -(-self.width // _NF4_BLOCK)
        padded = self._n_blocks * _NF4_BLOCK
        self.register_buffer("packed", torch.empty(self.n_rows, padded // 2, dtype=torch.uint8))
        self.register_buffer("scales", torch.empty(self.n_rows, self._n_blocks))
        for first, piece in _kept_pieces(stored, kept):
            whole = nn.functional.pad(piece.float(), (0, padded - self.width))
            packed, state = bitsandbytes().functional.quantize_4bit(whole, blocksize=_NF4_BLOCK, quant_type="nf4")
            self.get_buffer("packed")[first : first + len(piece)] = packed.reshape(len(piece), -1)
            self.get_buffer("scales")[first : first + len(piece)] = state.absmax.reshape(len(piece), -1)
            code = state.code
        self.register_buffer("code", code)

    def rows(self, ids: Tensor) -> Tensor:
        """The vectors of distinct ids, ascending. Shape: ids (n), result (n, width)."""
        packed = self.get_buffer("packed")[ids]
        # The high half of a byte is the earlier value.
        codes = torch.stack([packed >> 4, packed & 15], dim=-1).reshape(len(ids), self._n_blocks, _NF4_BLOCK)
        values = self.get_buffer("code")[codes.long()] * self.get_buffer("scales")[ids].unsqueeze(-1)
        return values.reshape(len(ids), self._n_blocks * _NF4_BLOCK)[:, : self.width].to(self.dtype)


class PagedRows(WordEmbeddings):
    """Rows stay in the checkpoint file; those in use lie in a cache of bounded size, the least recently used go first.

    Exact. Nothing is memory-mapped: pages that were touched would stay resident. Threads may look up at once.

    Raises:
        ConfigError: A cache that holds no row.
    """

    def __init__(self, stored: StoredTensor, dtype: torch.dtype, cache_bytes: int = CACHE_BYTES) -> None:
        super().__init__(stored.shape[0], stored.shape[1], dtype)
        capacity = min(self.n_rows, cache_bytes // (self.width * dtype.itemsize))
        if capacity < 1:
            raise ConfigError(f"a cache of {cache_bytes} bytes holds no row of {self.width} values; give more.")
        for _ in stored.in_pieces(_ROWS_AT_ONCE):
            pass  # Reading is checking, and nothing stays in memory.
        self._reader = RowReader(stored)
        self._lock = threading.Lock()
        self._cache = torch.empty(capacity, self.width, dtype=dtype)
        self._slot_of = np.full(self.n_rows, -1, np.int32)
        self._row_in = np.full(capacity, -1, np.int64)
        self._used = np.zeros(capacity, np.int64)
        self._clock = 0
        # A module without parameters does not know where its network is; this one is moved with it.
        self.register_buffer("_place", torch.empty(0), persistent=False)

    def rows(self, ids: Tensor) -> Tensor:
        """The vectors of distinct ids, ascending. Shape: ids (n), result (n, width)."""
        wanted: NDArray[np.int64] = ids.cpu().numpy()
        device = self.get_buffer("_place").device
        found = torch.empty(len(wanted), self.width, dtype=self.dtype, pin_memory=device.type == "cuda")
        with self._lock:
            slots = self._slot_of[wanted]
            here = slots >= 0
            self._clock += 1
            self._used[slots[here]] = self._clock
            found[torch.from_numpy(here)] = self._cache[torch.from_numpy(slots[here]).long()]
            if not here.all():
                missing = wanted[~here]
                read = self._reader.read(missing).to(self.dtype)
                found[torch.from_numpy(~here)] = read
                self._keep(missing, read)
        return found.to(device, non_blocking=True)

    @property
    def cached_bytes(self) -> int:
        """What rows in the cache and the index over them take."""
        in_use = int((self._row_in >= 0).sum())
        index = self._slot_of.nbytes + self._row_in.nbytes + self._used.nbytes
        return in_use * self.width * self.dtype.itemsize + index

    def _keep(self, rows: NDArray[np.int64], values: Tensor) -> None:
        count = min(len(rows), len(self._row_in))
        oldest = np.argpartition(self._used, count - 1)[:count]
        gone = self._row_in[oldest]
        self._slot_of[gone[gone >= 0]] = -1
        self._slot_of[rows[:count]] = oldest
        self._row_in[oldest] = rows[:count]
        self._used[oldest] = self._clock
        self._cache[torch.from_numpy(oldest).long()] = values[:count]


class TrimmedEmbeddings(WordEmbeddings):
    """A table without the rows that some languages never use. Token ids stay as they were.

    An id whose row was dropped gets the mean of the rows of its letters' pieces, or the unknown token's, and is counted
    in `n_replaced`.
    """

    def __init__(
        self, kept_rows: WordEmbeddings, kept: NDArray[np.int64], n_ids: int, stand_ins: Callable[[int], Sequence[int]]
    ) -> None:
        super().__init__(n_ids, kept_rows.width, kept_rows.dtype)
        self.kept_rows = kept_rows
        slots = torch.full((n_ids,), -1, dtype=torch.int32)
        compact = kept_rows.n_rows == len(kept)
        slots[torch.from_numpy(kept)] = torch.from_numpy(np.arange(len(kept)) if compact else kept).int()
        self.register_buffer("slots", slots, persistent=False)
        self.register_buffer("_n_replaced", torch.zeros((), dtype=torch.long), persistent=False)
        self._stand_ins = stand_ins

    @property
    def n_replaced(self) -> int:
        """Tokens read so far whose row was dropped."""
        return int(self.get_buffer("_n_replaced"))

    def rows(self, ids: Tensor) -> Tensor:
        """The vectors of distinct ids, ascending. Shape: ids (n), result (n, width)."""
        slots = self.get_buffer("slots")[ids].long()
        dropped = (slots < 0).nonzero().squeeze(1).tolist()
        if not dropped:
            return self.kept_rows.rows(slots)
        found = torch.empty(len(ids), self.width, dtype=self.dtype, device=ids.device)
        found[slots >= 0] = self.kept_rows.rows(slots[slots >= 0])
        for place in dropped:
            pieces = torch.tensor(self._stand_ins(int(ids[place])), device=ids.device)
            found[place] = self.kept_rows(self.get_buffer("slots")[pieces].long()).mean(dim=0)
        return found

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of token ids. Shape: ids (...), result (..., width)."""
        # Counted on the device: asking for the number here would wait for the GPU.
        self.get_buffer("_n_replaced").add_((self.get_buffer("slots")[ids] < 0).sum())
        vectors: Tensor = super().forward(ids)
        return vectors


def _count(stored: StoredTensor, kept: NDArray[np.int64] | None) -> int:
    return stored.shape[0] if kept is None else len(kept)


def _kept_pieces(stored: StoredTensor, kept: NDArray[np.int64] | None) -> Iterator[tuple[int, Tensor]]:
    """The kept rows, some thousand at a time, with the place of the first among the kept."""
    place = 0
    for first, piece in stored.in_pieces(_ROWS_AT_ONCE):
        low, high = (0, 0) if kept is None else np.searchsorted(kept, [first, first + len(piece)])
        chosen = piece if kept is None else piece[torch.from_numpy(kept[low:high] - first)]
        if len(chosen):
            yield place, chosen
        place += len(chosen)
