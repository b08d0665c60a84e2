"""What lies in a zoo, by its files: where they are, and what an index would say of them."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from adaptkit.errors import AdapterFileError, LimitExceeded, NotAnAdapter, UnsafePath
from adaptkit.format import spec
from adaptkit.format.entries import ListedEntry
from adaptkit.format.folder import Files
from adaptkit.format.hashes import FileEntry, HashedOnce, hashed
from adaptkit.format.litter import is_litter


@dataclass(frozen=True)
class Content:
    """An adapter's files, hashed, and what an index says of it, or what is wrong with it."""

    hashes: Mapping[str, FileEntry]
    entry: ListedEntry | AdapterFileError

    @classmethod
    def of(cls, place: str, files: Files) -> "Content":
        """Read and hash the files at a place, each once."""
        once = HashedOnce(files)
        hashes = hashed(once)
        try:
            return cls(hashes, ListedEntry.of(place, once, hashes))
        except AdapterFileError as error:
            return cls(hashes, error)


def files_below(top: Path) -> tuple[list[str], dict[str, AdapterFileError]]:
    """Every path of a file below a folder, and the folders that were not looked into, each with the reason.

    A link to a folder is not followed: what it points to may change, or lie outside of the zoo.
    """
    paths: list[str] = []
    unread: dict[str, AdapterFileError] = {}
    to_come = [""]
    while to_come:
        folder = to_come.pop()
        if folder.count("/") >= spec.MAX_FOLDERS_DEEP:
            unread[folder] = LimitExceeded(
                top / folder,
                f"lies more than {spec.MAX_FOLDERS_DEEP} folders deep in its zoo, the reader's bound; what is in "
                "it was not looked at. Move it up.",
            )
            continue
        try:
            with os.scandir(top / folder) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    if is_litter(entry.name):
                        continue
                    if entry.is_symlink() and entry.is_dir():
                        unread[path] = UnsafePath(
                            top / path, "is a symlink to a folder, and a zoo has folders of its own. Copy it there."
                        )
                    else:
                        (to_come if entry.is_dir(follow_symlinks=False) else paths).append(path)
        except OSError as error:
            unread[folder] = NotAnAdapter(top / folder, f"cannot be looked into ({error.strerror}).")
    return paths, unread


def places_of(paths: Iterable[str]) -> list[str]:
    """The folders that hold an adapter's record, in order; hidden ones are left out."""
    folders = [path.rpartition("/") for path in paths]
    return sorted(
        folder
        for folder, _, name in folders
        if name == spec.RECORD_FILE and not any(part.startswith(".") for part in folder.split("/"))
    )
