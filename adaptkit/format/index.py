"""The index of a zoo: every adapter with what it is, and every file with its size and hash. Made, never typed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from adaptkit.errors import IndexMismatch, MalformedConfig, NotAnAdapter, UnknownVersion
from adaptkit.format import spec
from adaptkit.format.entries import REMEDY, IndexEntry, ListedEntry
from adaptkit.format.folder import Files, read_json
from adaptkit.format.hashes import FileEntry, hashed_file
from adaptkit.format.typed_json import MistypedJson, decode, encode


@dataclass(frozen=True, kw_only=True)
class Index:
    """All adapters of a zoo, in the order of their places, and the other files in its top folder."""

    format_version: int
    files: Mapping[str, FileEntry]
    adapters: tuple[IndexEntry, ...]

    @classmethod
    def of(cls, entries: Iterable[ListedEntry], top: Files, version: int = spec.INDEX_VERSION) -> "Index":
        """Of adapters, and of the top folder of their zoo, in a version of the format.

        Raises:
            AdapterFileError: What is wrong with a file in the top folder.
        """
        ordered = sorted(entries, key=lambda entry: entry.place)
        beside = {name: hashed_file(top, name, spec.MAX_CARD_BYTES) for name in top.names() if name in BESIDE}
        if version == 1:
            older = tuple(entry.as_in_version_1 for entry in ordered)
            return cls(format_version=version, files=beside, adapters=older)
        return ListedIndex(format_version=version, files=beside, adapters=tuple(ordered))

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


@dataclass(frozen=True, kw_only=True)
class ListedIndex(Index):
    """An index of version 2, from which a zoo can be listed."""

    adapters: tuple[ListedEntry, ...]


_KINDS = {1: Index, 2: ListedIndex}
BESIDE = ("LICENSE", "README.md")
"""What a zoo holds in its top folder beside adapters, index and signature."""


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
    version = content.get("format_version")
    if type(version) is not int or version not in _KINDS:
        known = " and ".join(map(str, _KINDS))
        raise UnknownVersion(path, f"has format version {version!r:.40}; this adaptkit reads {known}.")
    try:
        index = decode(_KINDS[version], content)
    except MistypedJson as error:
        raise MalformedConfig(path, str(error)) from error
    places = [entry.place for entry in index.adapters]
    if places != sorted(set(places)):
        raise MalformedConfig(path, "names a folder twice, or the folders out of order.")
    return index


def _require_same(place: str, ours: IndexEntry, theirs: IndexEntry, path: Path) -> None:
    for name in sorted(ours.files.keys() | theirs.files.keys()):
        if ours.files.get(name) != theirs.files.get(name):
            raise IndexMismatch(path, f"has another hash or size for {place}/{name} than is there. {REMEDY}")
    if ours != theirs:
        raise IndexMismatch(path, f"says of {place} something else than its own files do. {REMEDY}")
