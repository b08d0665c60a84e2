"""A table that stays in its file."""

import threading

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.backbones.stored_tensors import RowReader
from adaptkit.backbones.table_source import TableSource
from adaptkit.backbones.word_embeddings import WordEmbeddings
from adaptkit.errors import ConfigError


class PagedRows(WordEmbeddings):
    """Rows stay in the checkpoint file; those in use lie in a cache of bounded size, the least recently used go first.

    Exact. Nothing is memory-mapped: pages that were touched would stay resident. Threads may look up at once.

    Raises:
        ConfigError: A cache that holds no row.
    """

    asked_on_cpu = True

    def __init__(self, source: TableSource) -> None:
        super().__init__(source.stored.shape[0], source.width, source.dtype)
        capacity = min(self.n_rows, source.cache_bytes // (self.width * self.dtype.itemsize))
        if capacity < 1:
            raise ConfigError(f"a cache of {source.cache_bytes} bytes holds no row of {self.width} values; give more.")
        source.check()
        self._reader = RowReader(source.stored)
        self._lock = threading.Lock()
        self._cache = torch.empty(capacity, self.width, dtype=self.dtype)
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
