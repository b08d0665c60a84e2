"""The index of a zoo: every adapter with what it is, and every file with its size and hash. Made, never typed."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from adaptkit.errors import IndexMismatch, LimitExceeded, MalformedConfig, NotAnAdapter, UnexpectedFile, UnknownVersion
from adaptkit.storage import format as spec
from adaptkit.storage.card import Evaluation
from adaptkit.storage.folder import Files, read_json
from adaptkit.storage.listing import Listing
from adaptkit.storage.records import RecordError, decode, encode


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """Size and SHA-256 of a file."""

    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class IndexEntry:
    """One adapter: its folder in the zoo, what it is, and its files."""

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
class Index:
    """All adapters of a zoo, in the order of their places, and the other files in its top folder."""

    format_version: int
    files: Mapping[str, FileEntry]
    adapters: tuple[IndexEntry, ...]

    @classmethod
    def of(cls, found: Iterable[tuple[Listing, Mapping[str, FileEntry]]], top: Files) -> "Index":
        """Of adapters, each with its files as `hashed` gives them, and of the top folder of their zoo.

        Raises:
            AdapterFileError: What is wrong with an adapter's record or config.
        """
        entries = [_entry(listing, files) for listing, files in found]
        beside = [name for name in top.names() if name in BESIDE]
        return cls(
            format_version=spec.INDEX_VERSION,
            files={name: _file(top, name, spec.MAX_CARD_BYTES) for name in beside},
            adapters=tuple(sorted(entries, key=lambda entry: entry.place)),
        )

    def render(self) -> bytes:
        """The content of `index.json`: the same bytes for the same zoo."""
        return (json.dumps(encode(self), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()

    def require(self, recorded: "Index", path: Path) -> None:
        """Let this zoo be what an index says.

        Raises:
            IndexMismatch: The first thing that is not.
        """
        if self.files != recorded.files:
            raise IndexMismatch(
                path, f"says of {' or '.join(BESIDE)} in this folder something else than is so. {REMEDY}"
            )
        ours, theirs = ({entry.place: entry for entry in index.adapters} for index in (self, recorded))
        for place in sorted(ours.keys() | theirs.keys()):
            if place not in theirs:
                raise IndexMismatch(path, f"does not list {place}, which is there. {REMEDY}")
            if place not in ours:
                raise IndexMismatch(path, f"lists {place}, which is not there. {REMEDY}")
            _require_same(place, ours[place], theirs[place], path)


BESIDE = ("LICENSE", "README.md")
"""What a zoo holds in its top folder beside adapters, index and signature."""
REMEDY = (
    "If you changed the zoo yourself, write the index again (adaptkit index), and sign it again if it was signed; else "
    "fetch it again, whole."
)


def read_index(files: Files) -> Index:
    """The index that lies in a zoo.

    Raises:
        NotAnAdapter: There is none.
        AdapterFileError: What is wrong with it.
    """
    path = files.path / spec.INDEX_FILE
    if spec.INDEX_FILE not in files.names():
        raise NotAnAdapter(files.path, f"has no {spec.INDEX_FILE}; write one with: adaptkit index {files.path}")
    content = read_json(files, spec.INDEX_FILE, max_bytes=spec.MAX_INDEX_BYTES)
    if content.get("format_version") != spec.INDEX_VERSION:
        raise UnknownVersion(
            path, f"has format version {content.get('format_version')!r:.40}; this adaptkit reads {spec.INDEX_VERSION}."
        )
    try:
        index = decode(Index, content)
    except RecordError as error:
        raise MalformedConfig(path, str(error)) from error
    places = [entry.place for entry in index.adapters]
    if places != sorted(set(places)):
        raise MalformedConfig(path, "names a folder twice, or the folders out of order.")
    return index


def hashed(files: Files) -> dict[str, FileEntry]:
    """Size and hash of each file of an adapter.

    Raises:
        UnexpectedFile: There is one that an adapter's folder does not have.
        NotAnAdapter: One is missing.
    """
    require_known(files)
    there = files.names()
    wanted = spec.ADAPTER_FILES | {name: most for name, most in spec.OPTIONAL_FILES.items() if name in there}
    return {name: _file(files, name, most) for name, most in sorted(wanted.items())}


def require_known(files: Files) -> None:
    """Let a folder hold an adapter's files and nothing else.

    Raises:
        UnexpectedFile: The first thing in it that is none.
    """
    for name in files.names():
        if name not in spec.ADAPTER_FILES | spec.OPTIONAL_FILES:
            raise UnexpectedFile(
                files.path / name,
                f"is no file of an adapter ({', '.join(spec.ADAPTER_FILES)}, and {spec.SIGNATURE_FILE} where it is "
                "signed). Take it away; adaptkit never opens it, but others may.",
            )


def _file(files: Files, name: str, most: int) -> FileEntry:
    content = files.read(name, max_bytes=most)
    return FileEntry(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def _entry(listing: Listing, files: Mapping[str, FileEntry]) -> IndexEntry:
    if len(listing.place) > spec.MAX_PATH_LENGTH:
        raise LimitExceeded(listing.files.path, f"is a path of more than {spec.MAX_PATH_LENGTH} characters in its zoo.")
    return IndexEntry(
        place=listing.place,
        id=listing.id,
        language=listing.language,
        backbone=listing.origin.name,
        fingerprint=listing.origin.fingerprint.id,
        method=listing.method,
        licence=listing.card.licence,
        scores=listing.card.evaluations,
        files=files,
    )


def _require_same(place: str, ours: IndexEntry, theirs: IndexEntry, path: Path) -> None:
    for name in sorted(ours.files.keys() | theirs.files.keys()):
        if ours.files.get(name) != theirs.files.get(name):
            raise IndexMismatch(path, f"has another hash or size for {place}/{name} than is there. {REMEDY}")
    if ours != theirs:
        raise IndexMismatch(path, f"says of {place} something else than its own files do. {REMEDY}")
