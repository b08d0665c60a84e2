"""The table by which token ids become vectors, held in the form that the memory at hand allows.

A multilingual encoder is mostly this table: 96 of the 118 million parameters of multilingual-e5-small.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from adaptkit.backbones.fetched import FetchedBatches, sent


class WordEmbeddings(nn.Module):
    """A frozen table of `n_rows` vectors of `width`. Whatever its form, `rows` gives them in one type.

    What enters the first block is a row multiplied by `scale`; the output projection reads the rows as they are. To
    know which ids are distinct, a GPU is waited for: a table whose rows lie there and cost little says `each_on_gpu`,
    and is asked for each id then, in the order of the text. The others are told by `fetch` what will be asked for.
    One that looks up on the CPU where its rows are, as `rows` is given ids, says `asked_on_cpu`.
    """

    scale: float = 1.0
    each_on_gpu: bool = False
    asked_on_cpu: bool = False

    def __init__(self, n_rows: int, width: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.n_rows, self.width, self.dtype = n_rows, width, dtype
        self._fetched = FetchedBatches()

    def rows(self, ids: Tensor) -> Tensor:
        """The vectors of distinct ids, ascending. Shape: ids (n), result (n, width)."""
        raise NotImplementedError

    @property
    def cached_bytes(self) -> int:
        """Memory beside the module's tensors."""
        return 0

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of token ids. Shape: ids (...), result (..., width)."""
        if (fetched := self.fetched(ids)) is not None:
            return fetched
        return self._of_each(ids) if ids.is_cuda and self.each_on_gpu else self._of_distinct(ids)

    def _of_each(self, ids: Tensor) -> Tensor:
        return self._scaled(ids.reshape(-1)).view(*ids.shape, self.width)

    def _of_distinct(self, ids: Tensor) -> Tensor:
        distinct, places = torch.unique(ids, return_inverse=True)
        return self._scaled(distinct)[places]

    def fetch(self, ids: Tensor, there: Tensor) -> None:
        """Fetch the vectors of a batch that a pass will read, on the way to which a GPU goes on with what it does.

        `there` are the same ids where they are read; the pass that is given that very tensor finds the vectors. Ids
        above the table are some layer's own: those batches are looked up as they are read.

        Shape: ids and there (...).
        """
        if (there.is_cuda and self.each_on_gpu) or not ids.numel() or int(ids.max()) >= self.n_rows:
            return
        distinct, places = torch.unique(ids, return_inverse=True)
        with self._fetched.beside(there.device):
            vectors = self._scaled(distinct if self.asked_on_cpu else sent(distinct, there.device))
            self._fetched.keep(there, vectors, sent(places, there.device))

    def fetched(self, ids: Tensor) -> Tensor | None:
        """Vectors of ids for which they were fetched, that very tensor; else None. Shape: as of `forward`."""
        found = self._fetched.of(ids)
        return None if found is None else found.spread()

    def _scaled(self, ids: Tensor) -> Tensor:
        """What enters the first block for each of these. Shape: ids (n), result (n, width)."""
        vectors = self.rows(ids)
        return vectors if self.scale == 1 else vectors * self.scale

    def extra_repr(self) -> str:
        """The sizes, for printing."""
        return f"{self.n_rows}, {self.width}"


class ScaledEmbeddings(nn.Module):
    """What one side of an encoder-decoder reads of a table that both share: its rows, multiplied by a number."""

    def __init__(self, table: WordEmbeddings, scale: float) -> None:
        super().__init__()
        # In a list: the table has its own place in the network.
        self._table = [table]
        self.scale = scale

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of token ids. Shape: ids (...), result (..., width)."""
        vectors: Tensor = self._table[0](ids) * self.scale
        return vectors


class TrimmedEmbeddings(WordEmbeddings):
    """A table without the rows that some languages never use. Token ids stay as they were.

    An id whose row was dropped gets the mean of the rows of its letters' pieces, or the unknown token's, and is counted
    in `n_replaced`.
    """

    asked_on_cpu = True

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
        self._copy: Tensor | None = None

    @property
    def n_replaced(self) -> int:
        """Tokens read so far whose row was dropped."""
        return int(self.get_buffer("_n_replaced"))

    def rows(self, ids: Tensor) -> Tensor:
        """The vectors of distinct ids, ascending. Shape: ids (n), result (n, width)."""
        # On the CPU, where which of them were dropped is known at once.
        ids, all_slots = ids.cpu(), self._slots_on_cpu()
        slots = all_slots[ids].long()
        dropped = (slots < 0).nonzero().squeeze(1).tolist()
        if not dropped:
            return self._kept(slots)
        here = (slots >= 0).nonzero().squeeze(1)
        kept = self._kept(slots[here])
        found = torch.empty(len(ids), self.width, dtype=self.dtype, device=kept.device)
        found[here.to(kept.device)] = kept
        for place in dropped:
            pieces = torch.tensor(self._stand_ins(int(ids[place])))
            found[place] = self.kept_rows(all_slots[pieces].long().to(kept.device)).mean(dim=0)
        return found

    def _kept(self, slots: Tensor) -> Tensor:
        table = self.kept_rows
        return table.rows(slots if table.asked_on_cpu else sent(slots, self.get_buffer("slots").device))

    def _slots_on_cpu(self) -> Tensor:
        slots = self.get_buffer("slots")
        if slots.device.type == "cpu":
            return slots
        if self._copy is None:
            self._copy = slots.cpu()
        return self._copy

    def fetched(self, ids: Tensor) -> Tensor | None:
        """As of every table; tokens that are read so are counted too. Shape: as of `forward`."""
        found = super().fetched(ids)
        if found is not None:
            self._count(ids)
        return found

    def _of_distinct(self, ids: Tensor) -> Tensor:
        self._count(ids)
        return super()._of_distinct(ids)

    def _count(self, ids: Tensor) -> None:
        # On the device: asking for the number here would wait for the GPU.
        self.get_buffer("_n_replaced").add_((self.get_buffer("slots")[ids] < 0).sum())
