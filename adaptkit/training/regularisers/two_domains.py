"""Rows of a target domain without labels beside those of the labelled one: what losses of domain adaptation share."""

import hashlib
from abc import abstractmethod
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor

from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.heads.batch import Batch
from adaptkit.labelled.unlabelled import read_unlabelled
from adaptkit.layers.pooling import mean_pool
from adaptkit.regularisers.domain_text import DomainText
from adaptkit.training.data import MIN_SENTENCES, PADDED_TO
from adaptkit.training.regularisers.regularising import Regularising, TaskMaterial

OptionsT = TypeVar("OptionsT", bound=DomainText)


class TwoDomains(Regularising[OptionsT]):
    """With every batch as many rows of the target domain are read, drawn anew each time, under the same stack.

    A subclass compares the features of both: the means of the states that the head reads, over the tokens of each row.

    Raises:
        EmptyCorpus: Fewer than 20 rows of text.
        ConfigError: Text that is no input of the task.
    """

    def __init__(self, options: OptionsT, material: TaskMaterial) -> None:
        super().__init__(options, material)
        if options.unlabelled is None:
            raise ConfigError("domains are compared with text of the target domain")
        data = read_unlabelled(options.unlabelled, material.head.task_type, normalize=material.normalize)
        self._rows = [row for item in material.task_format.items(data.examples) for row in item.rows]
        self.source = data.description
        if len(self._rows) < MIN_SENTENCES:
            raise EmptyCorpus(
                f"{self.source} has {len(self._rows)} texts without labels; a domain needs at least {MIN_SENTENCES}. "
                "Give more text."
            )
        self.content = hashlib.sha256(b"".join(row.tobytes() for row in self._rows)).hexdigest()

    @property
    def told(self) -> str:
        """What a plan says of it, and of the text."""
        return f"{super().told}; {len(self._rows):,} of them, from {self.source}"

    def prepare(self, batch: Batch) -> Batch:
        """The batch with as many rows of the target domain."""
        chosen = torch.randint(len(self._rows), (len(batch.ids),)).tolist()
        rows = [self._rows[number] for number in chosen]
        ids, mask = self.material.backbone.padded(rows, multiple_of=PADDED_TO)
        return replace(batch, unlabelled=Batch(ids, mask, language=batch.language))

    def penalty(self, hidden: Tensor, outputs: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002 - the contract of penalties
        """Shape: hidden (rows, seq, hidden_width), result ()."""
        if batch.unlabelled is None or batch.unlabelled_states is None:
            raise ConfigError("domains are compared by states of rows without labels, and the batch has none.")
        return self.distance(mean_pool(hidden, batch.mask), mean_pool(batch.unlabelled_states, batch.unlabelled.mask))

    @abstractmethod
    def distance(self, source: Tensor, target: Tensor) -> Tensor:
        """How far the features of two domains are apart. Shape: both (rows, hidden_width), float32, result ()."""
