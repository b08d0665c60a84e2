"""What a task is trained on at once, and what a head's outputs are read back with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.config import HeadConfig
from adaptkit.data.tasks import Example
from adaptkit.errors import UnknownLabel
from adaptkit.heads.batch import Batch

Ids: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Item:
    """One row of token ids, or several that belong together: the choices of a question, the sentences of a pair.

    `example` numbers the example that it comes from; a long context gives several items. `target` is what the loss
    wants (a label, a tag for each token, start and end, the right choice, a score), empty where nothing is labelled.
    `places` says where in the example the tokens stand: for tagging the token that each word begins with, for question
    answering the characters of each token, from and to, or -1 outside the context. `cut` says that a text was too long.
    """

    example: int
    rows: tuple[Ids, ...]
    target: tuple[float, ...] = ()
    places: Ids | None = None
    language: str | None = None
    cut: bool = False

    @property
    def length(self) -> int:
        """Tokens of the longest row."""
        return max(len(row) for row in self.rows)

    @property
    def n_tokens(self) -> int:
        """Tokens of all rows."""
        return sum(len(row) for row in self.rows)


class TaskFormat(Protocol):
    """How a type of task becomes token ids, a loss, and answers again."""

    def items(self, examples: Sequence[Example]) -> list[Item]:
        """The examples as token ids; labels that the head does not have are an error."""
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


FormatMaker: TypeAlias = Callable[..., TaskFormat]


def as_ids(row: Sequence[int] | Ids) -> Ids:
    """Token ids in four bytes each."""
    return np.asarray(row, dtype=np.int32)


def label_number(head: HeadConfig, label: str) -> int:
    """Which output stands for a label.

    Raises:
        UnknownLabel: The head has no such label.
    """
    try:
        return head.labels.index(label)
    except ValueError:
        raise UnknownLabel(label, head.labels) from None
