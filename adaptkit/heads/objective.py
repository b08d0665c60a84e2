"""The loss of a head, as the training loop asks for it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from torch import Tensor, nn

from adaptkit.heads.batch import Batch
from adaptkit.heads.task_format import PreparedFormat, TaskFormat
from adaptkit.layers.heads import Head


class Penalty(Protocol):
    """What is added to the loss of a task in training; an `nn.Module`, whose own weights train too."""

    def prepare(self, batch: Batch) -> Batch:
        """The batch with what it needs. Draws from torch's random state."""
        ...

    def __call__(self, hidden: Tensor, outputs: Tensor, batch: Batch) -> Tensor:
        """What is added. Shape: hidden (rows, seq, hidden_width), outputs as the head gives them, result ()."""
        ...


class HeadObjective(nn.Module):
    """The head's outputs on the hidden states, and the format's loss; the head trains with its adapter.

    `penalties` are added while training. What is measured of held-out batches is the loss of the task alone.
    """

    def __init__(self, head: Head, task_format: TaskFormat, penalties: Sequence[nn.Module] = ()) -> None:
        super().__init__()
        self.blocks: tuple[int, ...] = ()
        # In a list, so that the head's weights are the adapter's only.
        self._head = [head]
        self._format = task_format
        self._added = nn.ModuleList(penalties)

    def prepare(self, batch: Batch) -> Batch:
        """What the loss and the penalties need; nothing is masked."""
        if isinstance(self._format, PreparedFormat):
            batch = self._format.prepared(batch)
        for penalty in self._penalties():
            batch = penalty.prepare(batch)
        return batch

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:
        """Shape: hidden (rows, seq, hidden_width), result ()."""
        outputs = self._head[0](hidden, batch.mask)
        loss = self._format.loss(outputs, batch)
        for penalty in self._penalties():
            loss = loss + penalty(hidden, outputs, batch)
        return loss

    def measures(self, hidden: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """The loss."""
        return {"loss": self(hidden, batch)}

    def _penalties(self) -> Sequence[Penalty]:
        return list(self._added) if self.training else ()  # type: ignore[arg-type]  # modules that are penalties
