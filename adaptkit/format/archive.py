"""A zip or tar file that is read in place: nothing is ever written to disk, and every claim is checked first.

Compressed tar files are refused: to find one adapter in them, all of it would have to be read. Tensors hardly compress.
"""

import io
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO

from adaptkit.errors import LimitExceeded, MalformedArchive, NotAnAdapter, SourceNotFound, UnsafePath
from adaptkit.format.litter import is_in_litter
from adaptkit.format.spec import MAX_JSON_BYTES, MAX_MEMBERS, MAX_PATH_LENGTH, MAX_TIMES_SMALLER

_BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, struct.error, OSError, EOFError),
    *(RuntimeError, NotImplementedError, ValueError, OverflowError, IndexError),
)
_METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}
_READ_AT_ONCE = 8 * 2**20
_TOO_LARGE = "asks for a piece that is larger than any that an archive's directory has"


@dataclass(frozen=True)
class Member:
    """One file in an archive. `packed` is its size there, `position` says where a tar file has it."""

    name: str
    size: int
    packed: int
    position: int = 0


class _SmallReads(io.FileIO):
    """A file that refuses to read much at once, while an archive's directory is read from it: sizes there may lie."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = os.fstat(self.fileno()).st_size - self.tell()
        if size > _READ_AT_ONCE:
            raise ValueError(_TOO_LARGE)
        return super().read(size)


@dataclass(frozen=True)
class Archive:
    """A zip or tar file.

    Raises:
        SourceNotFound: There is no such file.
        MalformedArchive: It is neither, or is broken.
        UnsafePath: A member's path leaves the archive, or is a link or a device.
        LimitExceeded: Too many members, or one that unpacks to far more than it takes.
    """

    path: Path

    @cached_property
    def members(self) -> dict[str, Member]:
        """The files by their path in the archive, each path once, none that leaves it."""
        if not self.path.is_file():
            raise SourceNotFound(f"there is no file {self.path}.")
        try:
            with _SmallReads(self.path) as file:
                found = self._in_zip(file) if self._is_zip else self._in_tar(file)
        except _BROKEN as error:
            raise MalformedArchive(self.path, f"cannot be read as an archive: {error}.") from error
        return found

    def member(self, name: str) -> Member:
        """The member of a path.

        Raises:
            NotAnAdapter: There is none.
        """
        if name not in self.members:
            raise NotAnAdapter(self.path / name, "is not in the archive.")
        return self.members[name]

    def read(self, name: str, *, max_bytes: int) -> bytes:
        """The content of one member.

        Raises:
            NotAnAdapter: There is none of that name.
            LimitExceeded: It is larger than `max_bytes`.
            MalformedArchive: It is not what the directory says.
        """
        member = self.member(name)
        if member.size > max_bytes:
            raise LimitExceeded(self.path / name, f"is {member.size:,} bytes; the reader's bound is {max_bytes:,}.")
        try:
            with self.path.open("rb") as file:
                content = self._content(file, member)
        except _BROKEN as error:
            raise MalformedArchive(self.path / name, f"cannot be unpacked: {error}.") from error
        if len(content) != member.size:
            raise MalformedArchive(self.path / name, f"unpacks to {len(content):,} bytes, not {member.size:,}.")
        return content

    def _content(self, file: IO[bytes], member: Member) -> bytes:
        if not self._is_zip:
            file.seek(member.position)
            return file.read(member.size)
        with zipfile.ZipFile(file) as packed, packed.open(member.name) as opened:
            # One byte more than promised: what unpacks to more is found out, and is not unpacked.
            return opened.read(member.size + 1)

    @cached_property
    def _is_zip(self) -> bool:
        with self.path.open("rb") as file:
            start = file.read(4)
        # A tar file begins with the name of its first member, which may be anything but this.
        return start in (b"PK\x03\x04", b"PK\x05\x06")

    def _in_zip(self, file: IO[bytes]) -> dict[str, Member]:
        found: dict[str, Member] = {}
        with zipfile.ZipFile(file) as packed:
            for entry in packed.infolist():
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if entry.is_dir():
                    self._checked(entry.filename.rstrip("/"))
                    continue
                if entry.flag_bits & 1 or entry.compress_type not in _METHODS:
                    raise MalformedArchive(
                        self.path,
                        f"has the member {entry.filename[:80]!r}, which is encrypted, or packed in a way "
                        "that is not read. Make it again with: zip -r",
                    )
                member = Member(self._checked(entry.filename), entry.file_size, entry.compress_size)
                self._add(found, member, regular=kind in (0, stat.S_IFREG))
        return found

    def _in_tar(self, file: IO[bytes]) -> dict[str, Member]:
        found: dict[str, Member] = {}
        # "r:" is an uncompressed one.
        with tarfile.open(fileobj=file, mode="r:") as packed:
            for entry in packed:
                name = self._checked(entry.name)
                if not entry.isdir():
                    member = Member(name, entry.size, entry.size, entry.offset_data)
                    self._add(found, member, regular=entry.isreg() and not entry.issparse())
        return found

    def _add(self, found: dict[str, Member], member: Member, *, regular: bool) -> None:
        place = self.path / member.name
        if not regular:
            raise UnsafePath(place, "is a link or a device; an archive of adapters holds files and folders.")
        if member.name in found:
            raise MalformedArchive(place, "is in the archive twice.")
        if len(found) >= MAX_MEMBERS:
            raise LimitExceeded(self.path, f"holds more than {MAX_MEMBERS:,} files, the reader's bound.")
        if member.size > max(MAX_JSON_BYTES, MAX_TIMES_SMALLER * member.packed):
            raise LimitExceeded(
                place,
                f"takes {member.packed:,} bytes and claims to unpack to {member.size:,}; the reader's bound is "
                f"{MAX_TIMES_SMALLER} times as much.",
            )
        found[member.name] = member

    def _checked(self, name: str) -> str:
        """The name with `./` taken off its start."""
        plain = name.removeprefix("./")
        path = PurePosixPath(plain)
        unsafe = (
            path.is_absolute()
            or ".." in path.parts
            or plain != str(path)
            or len(name) > MAX_PATH_LENGTH
            or any(sign in name for sign in "\\:")
            or not name.isprintable()
        )
        if unsafe and plain not in ("", "."):
            raise UnsafePath(
                self.path, f"has a member named {name[:80]!r}, which is not a plain path inside the archive."
            )
        return plain


@dataclass(frozen=True)
class ArchivedFolder:
    """A folder inside an archive."""

    archive: Archive
    place: str

    @property
    def path(self) -> Path:
        """The archive's path with that of the folder behind it, for messages."""
        return self.archive.path / self.place

    def names(self) -> list[str]:
        """The names of all that lies in it, in order, without what systems and tools leave."""
        start = f"{self.place}/" if self.place else ""
        inside = [name.removeprefix(start) for name in self.archive.members if name.startswith(start)]
        return sorted({name.partition("/")[0] for name in inside if not is_in_litter(name)})

    def read(self, name: str, *, max_bytes: int) -> bytes:
        """The content of one file in it."""
        return self.archive.read(self._at(name), max_bytes=max_bytes)

    def size(self, name: str) -> int:
        """The size of a file in it, in bytes."""
        return self.archive.member(self._at(name)).size

    def _at(self, name: str) -> str:
        return f"{self.place}/{name}" if self.place else name
