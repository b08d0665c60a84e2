"""The examples of a task as what a run trains on."""

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, cycle, islice

import numpy as np
from numpy.typing import NDArray

from adaptkit.backbones import Backbone
from adaptkit.data.batching import chunks, heldout_rows, length_bucketed
from adaptkit.errors import EmptyCorpus
from adaptkit.objectives import Batch
from adaptkit.tasks import Item, TaskFormat
from adaptkit.training.data import MIN_SENTENCES, PADDED_TO


@dataclass(frozen=True)
class TaskItems:
    """Items of labelled examples. A batch is in one language; examples are held out whole, with all their windows.

    Where several languages train together, each is drawn in proportion to `n ** sampling_alpha` of its `n` items
    (Devlin et al. 2019 for mBERT; 1 is in proportion to size, 0 equally), smaller ones more than once an epoch.
    `has_labels` where targets are numbers of labels.

    Raises:
        EmptyCorpus: Fewer than 20 examples.
    """

    items: Sequence[Item]
    task_format: TaskFormat
    seed: int
    sampling_alpha: float = 0.3
    has_labels: bool = False

    def __post_init__(self) -> None:
        if self._n_examples < MIN_SENTENCES:
            raise EmptyCorpus(f"there are {self._n_examples} labelled examples; training needs at least 20. Give more.")

    @cached_property
    def heldout(self) -> list[int]:
        """Item numbers that are measured on and never trained on."""
        return [number for number, item in enumerate(self.items) if item.example in self._heldout_examples]

    @cached_property
    def training(self) -> list[int]:
        """Item numbers that are trained on."""
        return [number for number, item in enumerate(self.items) if item.example not in self._heldout_examples]

    @cached_property
    def constant_loss(self) -> float | None:
        """The entropy of the held-out labels; None where targets are no labels."""
        if not self.has_labels:
            return None
        counts = Counter(chain.from_iterable(self.items[number].target for number in self.heldout))
        shares = np.array(list(counts.values())) / counts.total()
        return float(-(shares * np.log(shares)).sum())

    def batches(self, batch_size: int, epoch: int) -> list[list[int]]:
        """Item numbers of each batch of one epoch."""
        planned = {
            language: [[rows[i] for i in batch] for batch in self._bucketed(rows, batch_size, epoch)]
            for language, rows in self._by_language(self.training).items()
        }
        if len(planned) == 1:
            return next(iter(planned.values()))
        n_batches = math.ceil(len(self.training) / batch_size)
        sizes = np.array([sum(map(len, batches)) for batches in planned.values()]) ** self.sampling_alpha
        counts = np.maximum(1, np.round(n_batches * sizes / sizes.sum())).astype(int)
        drawn = [b for batches, n in zip(planned.values(), counts, strict=True) for b in islice(cycle(batches), n)]
        order = np.random.default_rng((self.seed, epoch)).permutation(len(drawn))
        return [drawn[i] for i in order]

    def heldout_batches(self, batch_size: int) -> list[list[int]]:
        """Item numbers of the held-out batches, one language each."""
        return [
            list(batch)
            for rows in self._by_language(self.heldout).values()
            for batch in chunks(sorted(rows, key=lambda row: self.items[row].length), batch_size)
        ]

    def batch(self, rows: list[int], backbone: Backbone) -> Batch:
        """The items, padded, on the backbone's device."""
        items = [self.items[row] for row in rows]
        ids, mask = backbone.pad([row for item in items for row in item.rows], multiple_of=PADDED_TO)
        return Batch(
            ids=ids,
            mask=mask,
            labels=self.task_format.labels(items, ids.shape[1]).to(backbone.device),
            groups=tuple(len(item.rows) for item in items),
            language=items[0].language,
        )

    def n_tokens(self, rows: list[int]) -> int:
        """Real tokens in these items."""
        return sum(self.items[row].n_tokens for row in rows)

    @cached_property
    def sha256(self) -> str:
        """Identity of the items, so that a resumed run can tell that nothing changed."""
        digest = hashlib.sha256()
        for item in self.items:
            digest.update(f"{item.example} {item.target} {item.language}".encode())
            for row in item.rows:
                digest.update(row.tobytes())
        return digest.hexdigest()

    @property
    def _n_examples(self) -> int:
        return self.items[-1].example + 1 if self.items else 0

    @cached_property
    def _heldout_examples(self) -> frozenset[int]:
        return frozenset(heldout_rows(self._n_examples, seed=self.seed))

    def _by_language(self, rows: Sequence[int]) -> dict[str | None, list[int]]:
        groups: dict[str | None, list[int]] = {}
        for row in rows:
            groups.setdefault(self.items[row].language, []).append(row)
        return groups

    def _bucketed(self, rows: Sequence[int], batch_size: int, epoch: int) -> list[list[int]]:
        lengths: NDArray[np.int64] = np.array([self.items[row].length for row in rows], dtype=np.int64)
        return length_bucketed(lengths, batch_size=batch_size, seed=self.seed, epoch=epoch)
