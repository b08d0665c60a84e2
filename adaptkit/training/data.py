"""What a run trains on: tokenised sentences, their targets, and which of them are held out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.backbones import Backbone
from adaptkit.data.batching import chunks, heldout_rows, length_bucketed
from adaptkit.data.mixture import Mixture
from adaptkit.data.tokens import TokenStore
from adaptkit.errors import EmptyCorpus
from adaptkit.heads.batch import Batch
from adaptkit.terminal.amounts import counted

MIN_SENTENCES = 20

# Few shapes let memory that was freed be used again: batches of every length cost some 60 MiB more of it.
PADDED_TO = 8


class RunData(Protocol):
    """What a run trains on: numbered rows (sentences, or examples of a task), some of them held out."""

    @property
    def heldout(self) -> list[int]:
        """Row numbers that are measured on and never trained on."""

    @property
    def constant_loss(self) -> float | None:
        """The held-out loss of the best answer that is the same for every input; None where no label is asked for."""

    @property
    def anchored(self) -> Sequence[int]:
        """Row numbers whose tokens are anchored where the frozen backbone has them, in every batch."""

    @property
    def doubt(self) -> str | None:
        """What speaks against believing the held-out loss, in a sentence; None: nothing does."""

    @property
    def sha256(self) -> str:
        """Identity of the content, so that a resumed run can tell that nothing changed."""

    def batches(self, batch_size: int, epoch: int) -> list[list[int]]:
        """Row numbers of each batch of one epoch."""

    def heldout_batches(self, batch_size: int) -> list[list[int]]:
        """Row numbers of the held-out batches."""

    def batch(self, rows: list[int], backbone: Backbone) -> Batch:
        """The rows, padded as the backbone reads them, on the CPU."""

    def n_tokens(self, rows: list[int]) -> int:
        """Real tokens in these rows."""


@dataclass(frozen=True)
class TrainingData:
    """Sentences and, for objectives that want them, one target vector each.

    Held-out rows are among the first `n_measured`; what comes behind them only helps training. 0 means all rows.
    Rows may hold two texts: `first_lengths` says how many tokens come before the second, 0 where there is none. Behind
    the targets of all rows' first texts stand those of the second ones, in order. `anchors` are weights of keeping a
    row's tokens where they were, of all or of those for which `anchored_tokens` have a 1 and not a 0. `row_labels` are
    what an objective asks of whole rows. `doubt` says what speaks against believing the held-out loss. `mixture` says
    which source each row is of, and how often each is drawn, where there are several.

    Shape: targets (n_texts, hidden_width), first_lengths, anchors and row_labels (len(sentences)).

    Raises:
        EmptyCorpus: Fewer than 20 sentences, so that none can be held out.
    """

    sentences: TokenStore
    targets: Tensor | None
    seed: int
    n_measured: int = 0
    first_lengths: NDArray[np.int32] | None = None
    anchors: Tensor | None = None
    anchored_tokens: TokenStore | None = None
    row_labels: Tensor | None = None
    mixture: Mixture | None = None
    doubt: str | None = None
    constant_loss = None

    def __post_init__(self) -> None:
        if not self.n_measured:
            object.__setattr__(self, "n_measured", len(self.sentences))
        if self.n_measured < MIN_SENTENCES:
            raise EmptyCorpus(
                f"the text has {counted(self.n_measured, 'usable sentence')}; training needs at least {MIN_SENTENCES}. "
                "Give more text."
            )

    @cached_property
    def heldout(self) -> list[int]:
        """Row numbers that are measured on and never trained on."""
        if self.mixture is not None:
            return self.mixture.heldout(self.n_measured, seed=self.seed)
        return heldout_rows(self.n_measured, seed=self.seed)

    @cached_property
    def anchored(self) -> Sequence[int]:
        """Row numbers that have an anchor."""
        rows: list[int] = [] if self.anchors is None else self.anchors.nonzero().squeeze(1).tolist()
        return rows

    @cached_property
    def training(self) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        """Row numbers that are trained on."""
        return np.setdiff1d(np.arange(len(self.sentences)), self.heldout)

    def batches(self, batch_size: int, epoch: int) -> list[list[int]]:
        """Row numbers of each batch of one epoch."""
        drawn = self.training
        if self.mixture is not None:
            drawn = self.mixture.drawn(drawn, seed=self.seed, epoch=epoch)
        plan = length_bucketed(self.sentences.lengths[drawn], batch_size=batch_size, seed=self.seed, epoch=epoch)
        return [drawn[rows].tolist() for rows in plan]

    def heldout_batches(self, batch_size: int) -> list[list[int]]:
        """Row numbers of the held-out batches, of similar length each."""
        by_length = sorted(self.heldout, key=lambda row: int(self.sentences.lengths[row]))
        return [list(rows) for rows in chunks(by_length, batch_size)]

    def batch(self, rows: list[int], backbone: Backbone) -> Batch:
        """The sentences of these rows, padded, on the CPU."""
        ids, mask = backbone.padded([self.sentences[row] for row in rows], multiple_of=PADDED_TO)
        return Batch(
            ids=ids,
            mask=mask,
            targets=None if self.targets is None else self.targets[self._targets_of(rows)],
            first_lengths=None if self.first_lengths is None else torch.from_numpy(self.first_lengths[rows]),
            anchors=None if self.anchors is None else self.anchors[rows],
            anchored_tokens=None if self.anchored_tokens is None else self._tokens_anchored(rows, mask),
            row_labels=None if self.row_labels is None else self.row_labels[rows],
        )

    def _tokens_anchored(self, rows: list[int], mask: Tensor) -> Tensor:
        """Shape: mask and result (len(rows), seq)."""
        assert self.anchored_tokens is not None  # noqa: S101 - asked by the caller
        marks = [mark for row in rows for mark in self.anchored_tokens[row]]
        return torch.zeros_like(mask).masked_scatter(mask.bool(), torch.tensor(marks))

    def _targets_of(self, rows: list[int]) -> list[int]:
        if self.first_lengths is None:
            return rows
        return rows + [int(self._second_targets[row]) for row in rows if self.first_lengths[row]]

    @cached_property
    def _second_targets(self) -> NDArray[np.int64]:
        """Where the target of each row's second text stands, for rows that have one."""
        assert self.first_lengths is not None  # noqa: S101 - asked by the caller
        return len(self.sentences) - 1 + np.cumsum(self.first_lengths > 0)

    def n_tokens(self, rows: list[int]) -> int:
        """Real tokens in these rows."""
        return int(self.sentences.lengths[rows].sum())

    @cached_property
    def sha256(self) -> str:
        """Identity of sentences and targets, so that a resumed run can tell that nothing changed."""
        digest = hashlib.sha256(self.sentences.sha256().encode())
        if self.targets is not None:
            # Targets are floats computed on this machine; their first digits are their identity.
            digest.update(np.asarray(torch.round(self.targets.float(), decimals=2)).tobytes())
        for more in (self.first_lengths, self.anchors, self.row_labels):
            if more is not None:
                digest.update(np.asarray(more).tobytes())
        if self.anchored_tokens is not None:
            digest.update(self.anchored_tokens.sha256().encode())
        if self.mixture is not None:
            digest.update(self.mixture.identity())
        return digest.hexdigest()
