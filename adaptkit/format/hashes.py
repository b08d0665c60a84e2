"""Files as an index lists them: with size and SHA-256."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from adaptkit.errors import UnexpectedFile
from adaptkit.format import spec
from adaptkit.format.folder import Files


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """Size and SHA-256 of a file."""

    bytes: int
    sha256: str


def hashed(files: Files) -> dict[str, FileEntry]:
    """Size and hash of each file of an adapter.

    Raises:
        UnexpectedFile: There is one that an adapter's folder does not have.
        NotAnAdapter: One is missing.
    """
    there = require_known(files)
    wanted = spec.ADAPTER_FILES | {name: most for name, most in spec.OPTIONAL_FILES.items() if name in there}
    return {name: hashed_file(files, name, most) for name, most in sorted(wanted.items())}


def require_known(files: Files) -> list[str]:
    """Let a folder hold an adapter's files and nothing else; their names.

    Raises:
        UnexpectedFile: The first thing in it that is none.
    """
    names = files.names()
    for name in names:
        if name not in spec.ADAPTER_FILES | spec.OPTIONAL_FILES:
            raise UnexpectedFile(
                files.path / name,
                f"is not a file of an adapter ({', '.join(spec.ADAPTER_FILES)}, and {spec.SIGNATURE_FILE} where it is "
                "signed). Take it away; adaptkit never opens it, but others may.",
            )
    return names


def hashed_file(files: Files, name: str, most: int) -> FileEntry:
    """Size and hash of one file of at most so many bytes.

    Raises:
        AdapterFileError: As `Files.read`.
    """
    content = files.read(name, max_bytes=most)
    return FileEntry(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class HashedOnce:
    """The files of an adapter, its record and config kept from the first reading: what was hashed is what is parsed."""

    files: Files
    kept: dict[str, bytes] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The place, for messages."""
        return self.files.path

    def names(self) -> list[str]:
        """As those of the files themselves."""
        return self.files.names()

    def size(self, name: str) -> int:
        """As those of the files themselves."""
        return self.files.size(name)

    def read(self, name: str, *, max_bytes: int) -> bytes:
        """The content as it was when it was first read. Weights and cards are read anew."""
        if name in self.kept:
            return self.kept[name]
        content = self.files.read(name, max_bytes=max_bytes)
        if name in (spec.RECORD_FILE, spec.CONFIG_FILE):
            self.kept[name] = content
        return content
