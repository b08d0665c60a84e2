"""The upper half of a task type: token ids, head, loss, and answers again."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from adaptkit.backbones import TextReader
from adaptkit.data.tasks import Example
from adaptkit.errors import UnknownLabel
from adaptkit.heads.batch import Batch
from adaptkit.layers.heads import Head
from adaptkit.task_types import HeadConfig, Item


class TaskFormat(Protocol):
    """How a type of task becomes token ids, a loss, and answers again. `TaskType.upper` gives a class of this form."""

    def __init__(self, reader: TextReader, head: HeadConfig, *, max_length: int) -> None:
        """For a head on texts read so; rows are cut at `max_length` tokens, special ones counted."""
        ...

    @staticmethod
    def module(head: HeadConfig, hidden_width: int) -> Head:
        """A fresh head for hidden states of this width, with the tensors that `TaskType.tensors` says."""
        ...

    def items(self, examples: Sequence[Example]) -> list[Item]:
        """The examples as token ids, in their order; labels that the head does not have are an error.

        Raises:
            UnknownLabel: One of those.
            ConfigError: Examples of another type.
        """
        ...

    def labels(self, items: Sequence[Item], seq: int) -> Tensor:
        """The targets of a batch whose rows are padded to `seq`."""
        ...

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """The mean loss of a batch from the head's outputs. Shape: ()."""
        ...

    def predictions(self, examples: Sequence[Example], items: Sequence[Item], outputs: Sequence[Tensor]) -> list[Any]:
        """One prediction for each example. Shape: outputs, for each item (rows of the item, ...) as the head gives."""
        ...


@runtime_checkable
class DecodingFormat(Protocol):
    """A format whose examples have a second row for an encoder-decoder, which its decoder reads."""

    def decoder_ids(self, items: Sequence[Item]) -> Tensor | None:
        """What the decoder reads; None where the backbone has none. Shape: (len(items), target_seq)."""
        ...


@runtime_checkable
class PreparedFormat(Protocol):
    """A format whose loss must know more of a batch than its labels, to say what is computed."""

    def prepared(self, batch: Batch) -> Batch:
        """The batch with what the loss needs, both on the CPU."""
        ...


def label_number(head: HeadConfig, label: str) -> int:
    """Which output stands for a label.

    Raises:
        UnknownLabel: The head has no such label.
    """
    try:
        return head.labels.index(label)
    except ValueError:
        raise UnknownLabel(label, head.labels) from None
