"""States of the frozen backbone that anchors ask for: made once a run, where its steps would make them several times.

A step of distillation is three passes through the blocks: forward and backward with the adapter, and forward without
it, which says where tokens were. What the third gives never changes.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import torch
from torch import Tensor

from adaptkit.data.batching import chunks
from adaptkit.heads.batch import Batch
from adaptkit.terminal.amounts import bytes_text
from adaptkit.training.data import RunData
from adaptkit.training.kept_states import KeptStates
from adaptkit.training.settings import TrainingSettings

MOST_BYTES = 2**30
"""A bound that depends on nothing but the run: the same run, resumed anywhere, keeps the same."""
_ASKED_AT_LEAST = 1.5
_BYTES_OF_A_NUMBER = 2


@dataclass(frozen=True)
class AnchoredRows:
    """Rows whose states are kept, from short to long, and how often each is asked for on average.

    `n_left` are the tokens of the longest rows, which the memory does not hold. Steps read those anew: rows of a batch
    are of one length, so that nearly every batch is kept whole, or not at all.

    Shape: each token has `width` numbers.
    """

    rows: Sequence[int]
    n_tokens: int
    n_left: int
    times_asked: float
    width: int

    @classmethod
    def of(cls, data: RunData, settings: TrainingSettings, width: int) -> "AnchoredRows | None":
        """Of the rows with an anchor, the shortest that memory holds; None where they are hardly asked for again."""
        # Who asks for gradient checkpointing has time and no memory.
        if settings.gradient_checkpointing:
            return None
        lengths = {row: data.n_tokens([row]) for row in set(data.anchored)}
        by_length = sorted(lengths, key=lambda row: (lengths[row], row))
        ends = list(accumulate(lengths[row] for row in by_length))
        rows = by_length[: bisect_right(ends, MOST_BYTES // (width * _BYTES_OF_A_NUMBER))]
        if not rows:
            return None
        n_tokens = ends[len(rows) - 1]
        n_heldout = data.n_tokens(sorted(set(rows).intersection(data.heldout)))
        n_epochs = settings.max_steps / len(data.batches(settings.batch_size, 0))
        times_asked = (n_epochs * (n_tokens - n_heldout) + settings.n_evaluations * n_heldout) / n_tokens
        if times_asked < _ASKED_AT_LEAST:
            return None
        return cls(rows, n_tokens, ends[-1] - n_tokens, times_asked, width)

    @property
    def size_bytes(self) -> int:
        """What they take."""
        return self.n_tokens * self.width * _BYTES_OF_A_NUMBER

    def batches(self, batch_size: int) -> list[list[int]]:
        """Rows that are read together, always the same ones: the last bits of a state depend on it."""
        return [list(rows) for rows in chunks(list(self.rows), batch_size)]

    def __str__(self) -> str:
        left = f"; {self.n_left:,} in the longest rows are read anew each time" if self.n_left else ""
        return (
            f"keeping where the frozen backbone has {self.n_tokens:,} tokens ({bytes_text(self.size_bytes)}): anchors "
            f"ask for each about {self.times_asked:.1f} times{left}"
        )


def kept_for_anchors(found: Iterable[tuple[Sequence[int], Tensor, Tensor]]) -> KeptStates | None:
    """Those of batches (rows, states and masks) in 16 bits; None where one is too large for them.

    Exact where the blocks compute in bfloat16, and else float16, which moves a token by at most 2^-11 of its length.
    An anchor asks for the square of that: 2e-7.

    Shape: states (batch, seq, width), masks (batch, seq).
    """
    kept = KeptStates()
    for rows, states, mask in found:
        narrow = states.to(states.dtype if states.dtype == torch.bfloat16 else torch.float16)
        if not bool(narrow.isfinite().all()):
            return None
        kept.add(rows, narrow, mask)
    return kept


def with_frozen(batch: Batch, rows: Sequence[int], kept: KeptStates) -> Batch:
    """The batch of these rows with the states of those that have an anchor in it."""
    held = [] if batch.anchors is None else batch.anchors.nonzero().squeeze(1).tolist()
    return replace(batch, frozen=kept.of([rows[place] for place in held], batch.mask[held]))
