"""Bags: what a layer counts in each of many texts, as one sparse matrix."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

DENSE_AT_ONCE = 512
"""Texts, or columns, that are dense at one time."""
_ENTRIES_AT_ONCE = 65_536
_SEEN_IN_MOST = 0.9


@dataclass(frozen=True)
class Bags:
    """A row for each text, a column for each of `n_rows` things that may be counted, and few entries.

    `places` are the columns of all entries, text after text, `weights` their values, and `texts` their rows; a column
    may come several times in a text, and counts as often.

    Shape: places, weights and texts (n_entries).
    """

    places: Tensor
    weights: Tensor
    texts: Tensor
    n_texts: int
    n_rows: int

    @classmethod
    def of(cls, batches: Sequence[tuple[Tensor, Tensor]], n_rows: int) -> "Bags":
        """Those of batches of texts, as layers give them: places and weights, of which zeros are none."""
        places, weights, texts, first = [], [], [], 0
        for columns, values in batches:
            there = values > 0
            places.append(columns[there].cpu())
            weights.append(values[there].cpu())
            texts.append(there.nonzero()[:, 0].cpu() + first)
            first += len(columns)
        return cls(torch.cat(places), torch.cat(weights), torch.cat(texts), first, n_rows)

    def rareness(self, least_texts: int) -> Tensor:
        """By how much each column weighs: more, the fewer texts have it; 0 where too few have it, or nearly all.

        `log((1 + n) / (1 + texts that have it)) + 1` (Spärck Jones 1972, doi:10.1108/eb026526). Shape: (n_rows).
        """
        pairs = torch.unique(self.texts * self.n_rows + self.places) % self.n_rows
        having = torch.bincount(pairs, minlength=self.n_rows)
        weight = ((1 + self.n_texts) / (1 + having)).log() + 1
        return weight * ((having >= least_texts) & (having <= max(_SEEN_IN_MOST * self.n_texts, least_texts)))

    def weighted(self, by: Tensor) -> "Bags":
        """With each column multiplied. Shape: by (n_rows)."""
        return replace(self, weights=self.weights * by[self.places])

    def times(self, table: Tensor) -> Tensor:
        """The product of the matrix and a table. Shape: (n_rows, width) to (n_texts, width)."""
        starts = torch.searchsorted(self.texts, torch.arange(self.n_texts))
        return F.embedding_bag(self.places, table, starts, mode="sum", per_sample_weights=self.weights)

    def turned_times(self, table: Tensor) -> Tensor:
        """The product of the turned matrix and a table. Shape: (n_texts, width) to (n_rows, width)."""
        found = table.new_zeros(self.n_rows, table.shape[1])
        for first in range(0, len(self.places), _ENTRIES_AT_ONCE):
            some = slice(first, first + _ENTRIES_AT_ONCE)
            found.index_add_(0, self.places[some], self.weights[some, None] * table[self.texts[some]])
        return found

    def gram(self) -> Tensor:
        """The product of the matrix and itself turned. Shape: (n_texts, n_texts)."""
        found = self.weights.new_empty(self.n_texts, self.n_texts)
        for first in range(0, self.n_texts, DENSE_AT_ONCE):
            last = min(first + DENSE_AT_ONCE, self.n_texts)
            those = (self.texts >= first) & (self.texts < last)
            dense = self.weights.new_zeros(self.n_rows, last - first)
            dense.index_put_((self.places[those], self.texts[those] - first), self.weights[those], accumulate=True)
            found[:, first:last] = self.times(dense)
        return found
