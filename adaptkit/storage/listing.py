"""An adapter as a list shows it: everything but its weights."""

from dataclasses import dataclass
from functools import cached_property

from adaptkit.config import AdapterConfig, FusionConfig
from adaptkit.storage.adapter import Adapter, read_adapter
from adaptkit.storage.card import Card, Evaluation
from adaptkit.storage.folder import Files
from adaptkit.storage.format import WEIGHTS_FILE
from adaptkit.storage.record import Origin, Record, read_config, read_record


@dataclass(frozen=True)
class Listing:
    """What is said of an adapter in a zoo, read without its weights. `place` is its folder within the zoo."""

    place: str
    files: Files

    @cached_property
    def record(self) -> Record:
        """The record, checked."""
        return read_record(self.files)

    @cached_property
    def config(self) -> AdapterConfig:
        """How it computes, checked against the record."""
        return read_config(self.files, self.record)

    @property
    def id(self) -> str:
        """`kind/name`."""
        return self.record.id

    @property
    def language(self) -> str | None:
        """The canonical tag of its language."""
        return self.record.language

    @property
    def origin(self) -> Origin:
        """The backbone that it is for."""
        return self.record.backbone

    @property
    def card(self) -> Card:
        """Where it comes from, and its scores."""
        return self.record.card

    @property
    def method(self) -> str:
        """Its method, with the task type of its head where it has one."""
        head = self.config.head
        return self.config.method_name + (f" + {head.task_type} head" if head is not None else "")

    @property
    def score(self) -> Evaluation | None:
        """The first score on its card."""
        return next(iter(self.card.evaluations), None)

    @property
    def size_bytes(self) -> int:
        """The size of its weight file."""
        return self.files.size(WEIGHTS_FILE)

    @property
    def fuses(self) -> tuple[str, ...]:
        """Of a fusion the ids that it fuses."""
        return self.config.method.fuses if isinstance(self.config.method, FusionConfig) else ()

    def require_sound(self) -> None:
        """Let record and config be sound; the weights are not looked at.

        Raises:
            AdapterFileError: What is wrong with them.
        """
        _ = self.config

    def load(self) -> Adapter:
        """The adapter itself, every claim checked.

        Raises:
            AdapterFileError: As `load_adapter`.
        """
        return read_adapter(self.files)
