"""An adapter as a list shows it: everything but its weights."""

from dataclasses import dataclass
from functools import cached_property

from adaptkit.errors import IndexMismatch
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, Evaluation
from adaptkit.format.entries import REMEDY, ListedEntry
from adaptkit.format.facts import Facts
from adaptkit.format.folder import Files
from adaptkit.format.record import Origin, Record, read_config, read_record
from adaptkit.format.spec import CONFIG_FILE, INDEX_FILE, WEIGHTS_FILE
from adaptkit.methods import GLOSSARY


@dataclass(frozen=True)
class Listing:
    """What is said of an adapter in a zoo, read without its weights. `place` is its folder within the zoo.

    With the `entry` of an index, its files are hashed for a list, and read when more is asked for.
    """

    place: str
    files: Files
    entry: ListedEntry | None = None

    @cached_property
    def facts(self) -> Facts:
        """What a list shows: as the index has it where it was made from these very files, else as they say.

        Raises:
            AdapterFileError: What is wrong with record or config.
        """
        if self.entry is not None and self.entry.is_readable() and self.entry.is_of(self.files):
            return self.entry.facts
        return self._read_facts(self.record)

    @cached_property
    def record(self) -> Record:
        """The record, checked.

        Raises:
            IndexMismatch: It was listed from an index that says something else than it.
            AdapterFileError: What is wrong with it.
        """
        record = read_record(self.files)
        # Where the facts are still to be read, it is from this record.
        if self.is_listed and self.entry is not None and self.entry.is_of(self.files):
            self.require_as_indexed(self._read_facts(record))
        return record

    @cached_property
    def config(self) -> AdapterConfig:
        """How it computes, checked against the record."""
        return read_config(self.files, self.record)

    @property
    def id(self) -> str:
        """`kind/name`."""
        return self.facts.id

    @property
    def kind(self) -> str:
        """language, domain or task."""
        return self.facts.kind

    @property
    def language(self) -> str | None:
        """The canonical tag of its language."""
        return self.facts.language

    @property
    def languages(self) -> tuple[str, ...]:
        """The canonical tags of the languages that it is for; where there may be several, its record is read."""
        if self.language is None and self.kind != "task":
            return self.record.languages
        return () if self.language is None else (self.language,)

    @property
    def backbone(self) -> str:
        """The name of the backbone that it is for."""
        return self.facts.backbone

    @property
    def origin(self) -> Origin:
        """The backbone that it is for, as its record describes it."""
        return self.record.backbone

    @property
    def card(self) -> Card:
        """Where it comes from, and its scores."""
        return self.record.card

    @property
    def licence(self) -> str:
        """The licence on its card."""
        return self.facts.licence

    @property
    def source(self) -> str:
        """The source of its text on its card; empty where it is private."""
        return self.facts.source

    @property
    def method(self) -> str:
        """Its method, with the task type of its head where it has one."""
        return self.facts.method

    @property
    def scores(self) -> tuple[Evaluation, ...]:
        """The scores on its card."""
        return self.facts.scores

    @property
    def score(self) -> Evaluation | None:
        """The first score on its card."""
        return next(iter(self.scores), None)

    @property
    def size_bytes(self) -> int:
        """The size of the file that holds what it learned: its weights, or the words of a glossary."""
        return self.files.size(CONFIG_FILE if self.method == GLOSSARY.name else WEIGHTS_FILE)

    @property
    def fuses(self) -> tuple[str, ...]:
        """Of a fusion the ids that it fuses."""
        return self.facts.fuses

    def require_sound(self) -> None:
        """Let record and config be sound, or be those that the index lists; the weights are not looked at.

        Raises:
            AdapterFileError: What is wrong with them.
        """
        _ = self.facts

    @property
    def is_listed(self) -> bool:
        """Whether anybody was told what it is."""
        return "facts" in vars(self)

    def _read_facts(self, record: Record) -> Facts:
        config = read_config(self.files, record)
        return Facts.of(record.id, record.language, record.backbone.name, record.card, config)

    def require_as_indexed(self, found: Facts) -> None:
        """Let these facts be those of its index.

        Raises:
            IndexMismatch: One is not.
        """
        unlike = [name for name, value in vars(found).items() if value != getattr(self.entry, name)]
        if unlike:
            raise IndexMismatch(
                self.files.path, f"is listed in {INDEX_FILE} with another {unlike[0]} than its own files say. {REMEDY}"
            )
