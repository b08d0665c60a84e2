"""The places that a recorded pass reads, to which each batch is copied, padded to their shape."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn

from adaptkit.attaching.bound import table_ids
from adaptkit.backbones.looked_up import LookedUp
from adaptkit.data.batch_shapes import BatchShape


@dataclass(frozen=True)
class Places:
    """Ids, mask and perhaps more of each row, and the vectors of tables that a recording cannot hold.

    Shape: inputs (rows, length), (rows, length), and (rows, ...) each; vectors (rows, length, width).
    """

    inputs: tuple[Tensor, ...]
    vectors: Mapping[LookedUp, Tensor]

    @classmethod
    def padded(cls, shape: BatchShape, inputs: Sequence[Tensor], tables: Iterable[LookedUp] = ()) -> Self:
        """Places of this shape, filled."""
        held = tuple(_padded(tensor, shape, number) for number, tensor in enumerate(inputs))
        return cls(held, {table: table.vectors(table_ids(table, held[_IDS])) for table in tables})

    @classmethod
    def recorded(cls, shape: BatchShape, inputs: Sequence[Tensor], tables: Iterable[LookedUp]) -> Self:
        """Places of this shape for a recording: with some padding, whatever is in them.

        Without, other kernels would run before the recording than in it, where masks are not looked at.
        """
        places = cls.padded(shape, inputs, tables)
        places.inputs[_MASK][:, -1] = 0
        return places

    def fill(self, inputs: Sequence[Tensor]) -> None:
        """Copy a batch to them."""
        for number, (place, tensor) in enumerate(zip(self.inputs, inputs, strict=True)):
            _fill(place, tensor, number)
        for table, place in self.vectors.items():
            fetched = table.table.fetched(table_ids(table, inputs[_IDS]))
            if fetched is None:
                place.copy_(table.vectors(table_ids(table, self.inputs[_IDS])))
                continue
            # What is masked may be anything that is a number.
            if place.shape != fetched.shape:
                place.zero_()
            place[: len(fetched), : fetched.shape[1]] = fetched

    def through(self, network: nn.Module) -> Tensor:
        """What a network gives for what is in them now. Shape: (rows, length, width)."""
        for table, vectors in self.vectors.items():
            table.given = vectors
        try:
            states: Tensor = network(*self.inputs)
        finally:
            for table in self.vectors:
                table.given = None
        return states


_IDS, _MASK = 0, 1


def _padded(tensor: Tensor, shape: BatchShape, number: int) -> Tensor:
    """A place for an input of this shape, filled."""
    sizes = (shape.rows, shape.length) if number in (_IDS, _MASK) else (shape.rows, *tensor.shape[1:])
    return _fill(tensor.new_zeros(sizes), tensor, number)


def _fill(place: Tensor, tensor: Tensor, number: int) -> Tensor:
    """Copy an input to its place, with nothing behind it."""
    rows = len(tensor)
    if place.shape != tensor.shape:
        place.zero_()
        if number == _MASK:
            # A row of padding reads one token, as the softmax over none is not a number.
            place[rows:, 0] = 1
    if number in (_IDS, _MASK):
        place[:rows, : tensor.shape[1]] = tensor
    else:
        place[:rows] = tensor
    return place
