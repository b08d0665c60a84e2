"""The loss of a head, as the training loop asks for it."""

from collections.abc import Mapping

from torch import Tensor, nn

from adaptkit.heads.batch import Batch
from adaptkit.heads.task_format import TaskFormat
from adaptkit.layers.heads import Head


class HeadObjective(nn.Module):
    """The head's outputs on the hidden states, and the format's loss; the head trains with its adapter."""

    def __init__(self, head: Head, task_format: TaskFormat) -> None:
        super().__init__()
        self.blocks: tuple[int, ...] = ()
        # In a list, so that the head's weights are the adapter's only.
        self._head = [head]
        self._format = task_format

    def prepare(self, batch: Batch) -> Batch:
        """Nothing is masked."""
        return batch

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:
        """Shape: hidden (rows, seq, hidden_width), result ()."""
        return self._format.loss(self._head[0](hidden, batch.mask), batch)

    def measures(self, hidden: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """The loss."""
        return {"loss": self(hidden, batch)}
