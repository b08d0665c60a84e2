"""What an index says of one adapter, and when a list may believe it."""

from collections.abc import Mapping
from dataclasses import dataclass

from adaptkit.composition import AdapterId
from adaptkit.errors import AdapterFileError, AdaptkitError, LimitExceeded
from adaptkit.format import spec
from adaptkit.format.card import Evaluation
from adaptkit.format.facts import Facts
from adaptkit.format.folder import Files
from adaptkit.format.hashes import FileEntry, hashed_file
from adaptkit.format.record import read_config, read_record
from adaptkit.format.single_lines import check_single_lines
from adaptkit.languages import canonical_tag

REMEDY = (
    "If you changed the zoo yourself, write the index again (adaptkit index), and sign it again if it was signed; else "
    "fetch it again, whole."
)


@dataclass(frozen=True, kw_only=True)
class IndexEntry:
    """One adapter: its folder in the zoo, what it is, and its files. All that an index of version 1 has."""

    place: str
    id: str
    language: str | None
    backbone: str
    fingerprint: str
    method: str
    licence: str
    scores: tuple[Evaluation, ...]
    files: Mapping[str, FileEntry]


@dataclass(frozen=True, kw_only=True)
class ListedEntry(IndexEntry):
    """What an index has since version 2: all that a list shows, so that the adapter need not be read for it."""

    format_version: int
    head: str | None
    fuses: tuple[str, ...]
    source: str

    @classmethod
    def of(cls, place: str, files: Files, hashes: Mapping[str, FileEntry]) -> "ListedEntry":
        """That of an adapter whose files have these hashes.

        Raises:
            AdapterFileError: What is wrong with its record or config.
        """
        record = read_record(files)
        facts = Facts.of(record.id, record.language, record.backbone.name, record.card, read_config(files, record))
        if len(place) > spec.MAX_PATH_LENGTH:
            raise LimitExceeded(files.path, f"is a path of more than {spec.MAX_PATH_LENGTH} characters in its zoo.")
        return cls(
            place=place,
            fingerprint=record.backbone.fingerprint.id,
            files=hashes,
            format_version=record.format_version,
            **vars(facts),
        )

    @property
    def facts(self) -> Facts:
        """What it says that a list shows."""
        return Facts(**{name: getattr(self, name) for name in Facts.__dataclass_fields__})

    @property
    def as_in_version_1(self) -> IndexEntry:
        """The part of it that an older index has."""
        return IndexEntry(**{name: getattr(self, name) for name in IndexEntry.__dataclass_fields__})

    def is_of(self, files: Files) -> bool:
        """Whether record and config are the very files that it was made from, by their hashes."""
        try:
            return all(
                self.files.get(name) == hashed_file(files, name, spec.ADAPTER_FILES[name])
                for name in (spec.RECORD_FILE, spec.CONFIG_FILE)
            )
        except AdapterFileError:
            return False

    def is_readable(self) -> bool:
        """Whether a record that this adaptkit reads can say so. Others are read from their files, and told there."""
        try:
            check_single_lines({**vars(self.facts), "scores": [vars(score) for score in self.scores]})
            ids = [str(AdapterId.parse(name)) for name in (self.id, *self.fuses)]
            language = None if self.language is None else canonical_tag(self.language)
        except AdaptkitError:
            return False
        same = ids == [self.id, *self.fuses] and language == self.language
        return same and self.format_version in spec.READABLE_VERSIONS
