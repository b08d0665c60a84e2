"""A batch, and what the training loop asks of a loss."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.backbones.fetched import sent
from adaptkit.errors import ConfigError
from adaptkit.task_types import IGNORED

Fetch: TypeAlias = Callable[[Tensor, Tensor], None]


@dataclass(frozen=True)
class Batch:
    """One batch of sentences: made and prepared on the CPU, and then put where it is computed with, by `on`.

    Shape: ids and mask (batch, seq); targets (n_texts, n_depths * hidden_width), which texts are pulled towards,
    or None. There are more texts than rows where rows hold two: `first_lengths` (batch) says how many tokens come
    before the second one, 0 where there is none, and targets are in the order of `adaptkit.layers.pooling.pool_texts`.
    `anchors` (batch) are weights of keeping a row's tokens where the frozen backbone has them, which is then said by
    `frozen` (n_anchored, seq, n_depths * hidden_width): the states of the rows whose weight is above 0, in their order.
    `held` (n_anchored) and `paired` are the numbers of those rows and of rows of two texts, and
    `held_rows` what of those with an anchor is read where not all have one; `on` finds them.
    `anchored_tokens` (batch, seq) are 1 for the tokens that an anchor holds; None: it holds all.
    `positions` (n, into the flattened batch) and `labels` (n, some may be `IGNORED`) are what a masked objective asks
    for, or None; for a task, `labels` have the shape that its type gives, and `class_weights` (n_labels) are how much
    each counts in the loss, None: all alike. `row_labels` (batch, some may be `IGNORED`) are what an objective asks of
    whole rows. `groups` counts the rows of each item where several belong together. `states` (batch, seq, hidden_width)
    are what comes out of the backbone, where that never changes and was read before. `language` is the one that all
    rows are in, where that matters. `unlabelled` are rows of another domain that are read beside these, under the same
    stack, and `unlabelled_states` (rows, seq, hidden_width) what comes out.
    `decoder_ids` (batch, target_seq) are what the decoder of an encoder-decoder reads, where it is its states that the
    loss is taken from.
    """

    ids: Tensor
    mask: Tensor
    targets: Tensor | None = None
    first_lengths: Tensor | None = None
    anchors: Tensor | None = None
    frozen: Tensor | None = None
    anchored_tokens: Tensor | None = None
    positions: Tensor | None = None
    labels: Tensor | None = None
    row_labels: Tensor | None = None
    class_weights: Tensor | None = None
    groups: tuple[int, ...] = ()
    states: Tensor | None = None
    language: str | None = None
    unlabelled: "Batch | None" = None
    unlabelled_states: Tensor | None = None
    decoder_ids: Tensor | None = None
    held: Tensor | None = None
    paired: Tensor | None = None
    held_rows: "Batch | None" = None

    def on(self, device: torch.device, fetch: Fetch = lambda _, __: None) -> "Batch":
        """The batch on a device. What must be known of it to say what is computed is found before, on the CPU.

        A GPU that is asked is waited for, and has nothing to do until it is told more. `fetch` is told of ids that will
        be read: as they are here, and there.
        """
        held, paired = _rows_above_0(self.anchors), _rows_above_0(self.first_lengths)
        found = replace(
            self,
            anchors=None if held is None else self.anchors,
            first_lengths=None if paired is None else self.first_lengths,
            held=held,
            paired=paired,
            held_rows=None if held is None or len(held) == len(self.ids) else self._rows(held),
        )
        there = Batch(**{field.name: _put(getattr(found, field.name), device, fetch) for field in fields(Batch)})
        fetch(self.ids, there.ids)
        return there

    def _rows(self, rows: Tensor) -> "Batch":
        return Batch(ids=self.ids[rows], mask=self.mask[rows], language=self.language)

    @property
    def read_by_frozen(self) -> "Batch":
        """What the frozen backbone reads for the anchors: the rows that have one."""
        if self.held_rows is not None:
            return self.held_rows
        rows = self.anchored
        return self._rows(rows) if isinstance(rows, Tensor) else self

    @property
    def anchored(self) -> Tensor | slice | None:
        """Numbers of the rows that have an anchor; a slice where all have one, None where none has. Shape: (n)."""
        rows = _rows_above_0(self.anchors) if self.held is None else self.held
        if rows is None or self.anchors is None:
            return None
        return slice(None) if len(rows) == len(self.anchors) else rows

    def require_labels(self) -> Tensor:
        """The labels.

        Raises:
            ConfigError: The batch has none.
        """
        if self.labels is None:
            raise ConfigError("a loss was asked for on examples without labels.")
        return self.labels


def _rows_above_0(numbers: Tensor | None) -> Tensor | None:
    """Which rows have a number; None where none has. Shape: (n)."""
    rows = None if numbers is None else numbers.nonzero().squeeze(1)
    return rows if rows is not None and len(rows) else None


def _put(value: Any, device: torch.device, fetch: Fetch) -> Any:  # noqa: ANN401 - a field of any type
    if isinstance(value, Batch):
        return value.on(device, fetch)
    return sent(value, device) if isinstance(value, Tensor) else value


_POSITIONS_IN_STEPS_OF = 64


def in_few_shapes(positions: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Positions and their labels, filled up with ignored ones to a count that comes again.

    The first product of matrices of a new shape costs 10 to 20 times the later ones on CPU, and each batch has another
    count of masked tokens.

    Shape: positions and labels (n), results (n rounded up).
    """
    missing = -len(positions) % _POSITIONS_IN_STEPS_OF
    return F.pad(positions, (0, missing)), F.pad(labels, (0, missing), value=IGNORED)


class Loss(Protocol):
    """A loss with what it needs to compute it; an `nn.Module`, so that its own weights train with the adapter.

    `blocks` are those whose hidden states it reads, side by side; none means the last one.
    """

    blocks: tuple[int, ...]

    def prepare(self, batch: Batch) -> Batch:
        """What the backbone shall read instead of the plain batch, both on the CPU. Draws from torch's random state.

        What depends on numbers of the batch, as which tokens are predicted, is chosen here: to ask for them later, when
        they lie on a GPU, would wait for it in every step.
        """
        ...

    def __call__(self, hidden: Tensor, batch: Batch) -> Tensor:
        """The loss of a prepared batch. Shape: hidden (batch, seq, hidden_width), result ()."""
        ...

    def measures(self, hidden: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """What is reported of held-out batches: `loss`, and for a masked objective `token_loss`. Shapes: ()."""
        ...
