"""The examples of a task as what a run trains on."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, cycle, islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.backbones import Backbone
from adaptkit.data.batching import chunks, heldout_of_kinds, length_bucketed
from adaptkit.errors import EmptyCorpus
from adaptkit.heads import DecodingFormat, TaskFormat
from adaptkit.heads.batch import Batch
from adaptkit.task_types import IGNORED, Item
from adaptkit.task_types.class_weights import Weighing
from adaptkit.training.data import PADDED_TO
from adaptkit.training.few_examples import few_examples


@dataclass(frozen=True)
class TaskItems:
    """Items of labelled examples. A batch is in one language; examples are held out whole, with all their windows.

    Where several languages train together, each is drawn in proportion to `n ** sampling_alpha` of its `n` items
    (Devlin et al. 2019 for mBERT; 1 is in proportion to size, 0 equally), smaller ones more than once an epoch.
    `has_labels` where targets are numbers of labels; `weighing` says how much each counts in the loss. Each
    label and each language has an example that is trained on. `dev` are numbers of examples that the caller holds out;
    without them, some are chosen: a translation and what it is of (`copy_of`) both, or neither. Where none can be
    spared, the run is measured on what it trains on, and `doubt` says so.

    Raises:
        EmptyCorpus: No example to train on.
    """

    items: Sequence[Item]
    task_format: TaskFormat
    seed: int
    sampling_alpha: float = 0.3
    has_labels: bool = False
    constant_loss_of: Callable[[Sequence[Item]], float] | None = None
    weighing: Weighing | None = None
    dev: frozenset[int] = frozenset()
    copy_of: Mapping[int, int] = field(default_factory=dict)
    anchored = ()

    def __post_init__(self) -> None:
        if not self.training:
            raise EmptyCorpus("there is no labelled example to train on. Give some, of two labels or more.")

    @cached_property
    def heldout(self) -> list[int]:
        """Item numbers that are measured on and never trained on; all of them where none can be spared."""
        if not self._heldout_examples:
            return list(range(len(self.items)))
        return [number for number, item in enumerate(self.items) if item.example in self._heldout_examples]

    @property
    def holds_out(self) -> bool:
        """Whether some examples are measured on and not trained on."""
        return bool(self._heldout_examples)

    @property
    def doubt(self) -> str | None:
        """What so few examples are worth, in a sentence; None where they are enough to be measured."""
        heldout = self._heldout_examples
        return few_examples(len(self._kinds.keys() - self.dev), len(heldout), given=bool(self.dev))

    @cached_property
    def training(self) -> list[int]:
        """Item numbers that are trained on."""
        return [number for number, item in enumerate(self.items) if item.example not in self._heldout_examples]

    @cached_property
    def constant_loss(self) -> float | None:
        """`constant_loss_of` the held-out items, or the entropy of their weighed labels; None where there are none."""
        if self.constant_loss_of is not None:
            return self.constant_loss_of([self.items[number] for number in self.heldout])
        if not self.has_labels:
            return None
        targets = chain.from_iterable(self.items[number].target for number in self.heldout)
        counts = Counter(target for target in targets if target != IGNORED)
        weights = self.class_weights
        weighed = np.array([n * (1.0 if weights is None else weights[int(label)]) for label, n in counts.items()])
        shares = weighed / weighed.sum()
        return float(-(shares * np.log(shares)).sum())

    @cached_property
    def class_weights(self) -> tuple[float, ...] | None:
        """How much a target of each label counts; None where all count alike."""
        return None if self.weighing is None else self.weighing([self.items[number] for number in self.training])

    @cached_property
    def _class_weights(self) -> Tensor | None:
        return None if self.class_weights is None else torch.tensor(self.class_weights, dtype=torch.float32)

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
        return self._in_order(self.heldout, batch_size)

    def training_batches(self, batch_size: int, most: int | None = None) -> list[list[int]]:
        """Item numbers of batches with all items that are trained on, each once, whatever is drawn more often.

        Of more than `most`, so many are drawn.
        """
        chosen = self.training
        if most is not None and len(chosen) > most:
            drawn = np.random.default_rng(self.seed).choice(len(chosen), most, replace=False)
            chosen = [chosen[number] for number in sorted(drawn)]
        return self._in_order(chosen, batch_size)

    def all_batches(self, batch_size: int) -> list[list[int]]:
        """Item numbers of batches with all items, each once, of one language and of like lengths."""
        return self._in_order(range(len(self.items)), batch_size)

    def batch(self, rows: list[int], backbone: Backbone) -> Batch:
        """The items, padded, on the CPU."""
        items = [self.items[row] for row in rows]
        ids, mask = backbone.padded([row for item in items for row in item.rows], multiple_of=PADDED_TO)
        form = self.task_format
        return Batch(
            ids=ids,
            mask=mask,
            labels=form.labels(items, ids.shape[1]),
            class_weights=self._class_weights,
            groups=tuple(len(item.rows) for item in items),
            language=items[0].language,
            decoder_ids=form.decoder_ids(items) if isinstance(form, DecodingFormat) else None,
        )

    def n_tokens(self, rows: list[int]) -> int:
        """Real tokens in these items."""
        return sum(self.items[row].n_tokens for row in rows)

    @cached_property
    def sha256(self) -> str:
        """Identity of the items, so that a resumed run can tell that nothing changed."""
        digest = hashlib.sha256(f"held out {sorted(self.dev)}".encode() if self.dev else b"")
        digest.update(f"copies {sorted(self.copy_of.items())}".encode() if self.copy_of else b"")
        for item in self.items:
            digest.update(f"{item.example} {item.target} {item.language}".encode())
            for row in item.rows:
                digest.update(row.tobytes())
        return digest.hexdigest()

    @cached_property
    def _kinds(self) -> Mapping[int, set[Hashable]]:
        """By example, what training must have seen: its labels, or whether there is an answer; and its language."""
        kinds: dict[int, set[Hashable]] = {}
        for item in self.items:
            targets = set(item.target) - {IGNORED} if self.has_labels else {any(item.target)}
            kinds.setdefault(item.example, {f"language {item.language}"}).update(targets)
        return kinds

    @cached_property
    def _heldout_examples(self) -> frozenset[int]:
        if self.dev:
            return self.dev
        alike: dict[int, list[int]] = {}
        for number in self._kinds:
            alike.setdefault(self.copy_of.get(number, number), []).append(number)
        together = list(alike.values())
        kinds = [set().union(*(self._kinds[number] for number in numbers)) for numbers in together]
        return frozenset(chain.from_iterable(together[row] for row in heldout_of_kinds(kinds, seed=self.seed)))

    def _in_order(self, rows: Sequence[int], batch_size: int) -> list[list[int]]:
        return [
            list(batch)
            for own in self._by_language(rows).values()
            for batch in chunks(sorted(own, key=lambda row: self.items[row].length), batch_size)
        ]

    def _by_language(self, rows: Sequence[int]) -> dict[str | None, list[int]]:
        groups: dict[str | None, list[int]] = {}
        for row in rows:
            groups.setdefault(self.items[row].language, []).append(row)
        return groups

    def _bucketed(self, rows: Sequence[int], batch_size: int, epoch: int) -> list[list[int]]:
        lengths: NDArray[np.int64] = np.array([self.items[row].length for row in rows], dtype=np.int64)
        return length_bucketed(lengths, batch_size=batch_size, seed=self.seed, epoch=epoch)
