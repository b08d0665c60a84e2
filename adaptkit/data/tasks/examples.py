"""What every labelled example has, whatever its task type, and data made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field
from typing import Any, ClassVar, Protocol


class Example(Protocol):
    """A frozen dataclass with what a task type asks, and where it is from: both may be unknown."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def language(self) -> str | None:
        """Its language tag."""
        ...

    @property
    def group(self) -> str | None:
        """A genre, a domain."""
        ...


@dataclass(frozen=True, kw_only=True)
class TaskData:
    """Examples of one task type. `labels` are the labels or tags in their order; empty where the type has none.

    `description` is for cards and messages: a name of the data, without folders. `dropped` counts, by reason,
    what was left out for want of a usable label or answer; `notes` say in a line each what else was found in reading,
    and `warnings` what is probably wrong with it.
    """

    task_type: str
    examples: Sequence[Example]
    labels: tuple[str, ...]
    description: str
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def found(self) -> tuple[str, ...]:
        """Notes and warnings."""
        return (*self.notes, *self.warnings)
