"""Shapes of batches, and into which few of them all others are padded, so that what is recorded for one serves many."""

from collections.abc import Iterable
from dataclasses import dataclass

PADDED_LENGTHS = (16, 32, 48, 64, 96, 128, 256, 512)


@dataclass(frozen=True)
class BatchShape:
    """Rows of a batch, and tokens in each of them."""

    rows: int
    length: int

    @property
    def tokens(self) -> int:
        """All places of the batch, padding counted."""
        return self.rows * self.length

    def holds(self, other: "BatchShape") -> bool:
        """Whether a batch of the other shape can be padded to this one."""
        return other.rows <= self.rows and other.length <= self.length

    def __str__(self) -> str:
        """As it is told to a reader."""
        return f"{self.rows} x {self.length} tokens"


@dataclass(frozen=True)
class ShapeBuckets:
    """At most `most` shapes, of these `lengths` and of as many rows as come.

    Padding may make of a batch at most `waste` times as many tokens.
    """

    lengths: tuple[int, ...] = PADDED_LENGTHS
    most: int = 8
    waste: float = 2.0

    def of(self, shape: BatchShape, longest: int) -> BatchShape | None:
        """What a batch is padded to, of at most `longest` tokens a row; None where no length is long enough."""
        length = _padded_length(shape.length, self.lengths, longest)
        return None if length is None else BatchShape(shape.rows, length)

    def fitting(self, shape: BatchShape, recorded: Iterable[BatchShape]) -> BatchShape | None:
        """The smallest of the recorded shapes that holds a batch without too much padding; None where none does."""
        bound = self.waste * shape.tokens
        found = [each for each in recorded if each.holds(shape) and each.tokens <= bound]
        return min(found, key=lambda each: each.tokens, default=None)


@dataclass(frozen=True)
class FixedBuckets:
    """Shapes of these `lengths` and of whole batches of `rows`: what a batch is padded to follows from it alone.

    So a training that is resumed pads as one that was never interrupted. Padding may make of a batch at most `waste`
    times as many tokens.
    """

    rows: int
    lengths: tuple[int, ...] = PADDED_LENGTHS
    waste: float = 4.0

    def of(self, shape: BatchShape, longest: int) -> BatchShape | None:
        """What a batch is padded to, of at most `longest` tokens a row; None where it is to stay as it is."""
        length = _padded_length(shape.length, self.lengths, longest)
        if length is None:
            return None
        padded = BatchShape(-(-shape.rows // self.rows) * self.rows, length)
        return padded if padded.tokens <= self.waste * shape.tokens else None


def _padded_length(length: int, lengths: Iterable[int], longest: int) -> int | None:
    return next((min(each, longest) for each in lengths if min(each, longest) >= length), None)
