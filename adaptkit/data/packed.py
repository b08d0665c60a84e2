"""Files as they lie, or packed by gzip, xz, bzip2 or Zstandard, which the end of the name says."""

import bz2
import gzip
import io
import lzma
import stat
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, cast

from adaptkit.data.archives import LOOKED_AT, require_no_archive
from adaptkit.errors import ConfigError, SourceNotFound
from adaptkit.version import install_command

MOST_MEMORY = 256 * 2**20
"""Bytes that unpacking may take: the header of a file decides on the need, up to 4 GiB."""

_READ_BYTES = 2**16


class BrokenPacked(ValueError):
    """A packed file that is cut off or damaged, or needs too much memory."""


def format_suffix(path: Path) -> str:
    """Give the suffix that names the format, in lower case: `.jsonl` for `News.JSONL.gz`."""
    inner = path.with_suffix("") if is_packed(path) else path
    return inner.suffix.lower()


def is_packed(path: Path) -> bool:
    """Tell whether the name ends in `.gz`, `.xz`, `.bz2` or `.zst`."""
    return path.suffix.lower() in PACKED_SUFFIXES


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading, unpacking it on the way where its name says that it is packed.

    Raises:
        SourceNotFound: a device, a socket or a folder, or a file that cannot be opened.
        ConfigError: a Zstandard file where nothing is installed that unpacks it.
        MalformedText: an archive of other files.
        BrokenPacked: a damaged packed file.

    """
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):  # a pipe is what a shell's <(command) gives
            raise SourceNotFound(f"{path} is not a file with text but {_kind(mode)}; give a file.")
        file = path.open("rb")
    except OSError as error:
        raise SourceNotFound(f"{path} cannot be opened: {error.strerror or error}.") from error
    try:
        opener = _OPENERS.get(path.suffix.lower())
        stream = file if opener is None else opener(file)
        require_no_archive(path, read_some(path, partial(cast(io.BufferedReader, stream).peek, LOOKED_AT)))
        return stream
    except BaseException:
        file.close()
        raise


def read_some(path: Path, read: Callable[[], bytes]) -> bytes:
    """Read with what goes wrong told alike for every kind of packing.

    Raises:
        BrokenPacked: a damaged packed file.
        SourceNotFound: the system gives no content (`/proc/self/mem`, a disk that fails).

    """
    try:
        return read()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BrokenPacked(str(error)) from error
    except OSError as error:
        raise SourceNotFound(f"{path} cannot be read: {error.strerror or error}.") from error


class _Unpacked(io.RawIOBase):
    """The content of a packed stream, one part after the other."""

    def __init__(self, packed: BinaryIO, start: Callable[[], Any]) -> None:
        self._packed = packed
        self._start = start
        self._unpacker = start()
        self._left = b""
        self._begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        try:
            content = self._next(len(buffer))
        except SourceNotFound:
            raise
        except (lzma.LZMAError, OSError, EOFError, ValueError, MemoryError) as error:
            raise BrokenPacked(str(error)) from error
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._packed.close()
        super().close()

    def _next(self, most: int) -> bytes:
        while True:
            if self._unpacker.eof:
                self._left, self._unpacker, self._begun = self._unpacker.unused_data, self._start(), False
            if self._unpacker.needs_input and not self._left:
                self._left = self._packed.read(_READ_BYTES)
                if not self._left:
                    return self._ended()
            given, self._left = self._left, b""
            # Bytes of nothing may stand between and after the parts of an xz file.
            if not self._begun and not (given := given.lstrip(b"\0")):
                continue
            self._begun = True
            if content := self._unpacker.decompress(given, most):
                return cast(bytes, content)

    def _ended(self) -> bytes:
        if self._begun:
            raise EOFError("it ends in the middle")
        return b""


def _streamed(start: Callable[[], Any], file: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_Unpacked(file, start), _READ_BYTES))


def _gzip(file: BinaryIO) -> BinaryIO:
    stream = gzip.GzipFile(fileobj=file, mode="rb")
    stream.myfileobj = file  # type: ignore[assignment]  # closed with it
    return cast(BinaryIO, stream)


def _zstandard(file: BinaryIO) -> BinaryIO:
    try:  # Python 3.14 has it
        start = import_module("compression.zstd").ZstdDecompressor
    except ImportError:
        start = _ZstandardPackage
        _zstandard_package()
    return _streamed(start, file)


def _zstandard_package() -> Any:  # noqa: ANN401 - a module that may not be there
    try:
        return import_module("zstandard")
    except ImportError as error:
        raise ConfigError(
            "a .zst file is unpacked by Python 3.14 or the package zstandard, and neither is here. Run: "
            f"{install_command('zstd')}"
        ) from error


class _ZstandardPackage:
    """The package's decompressor, with the interface of those of the standard library."""

    def __init__(self) -> None:
        module = _zstandard_package()
        self._error = module.ZstdError
        self._unpacker = module.ZstdDecompressor(max_window_size=2**27).decompressobj()
        self._ready = memoryview(b"")
        self._given = b""

    @property
    def eof(self) -> bool:
        return bool(self._unpacker.eof) and not self._ready

    @property
    def needs_input(self) -> bool:
        return not self._ready and not self._given and not self.eof

    @property
    def unused_data(self) -> bytes:
        return cast(bytes, self._unpacker.unused_data) + self._given

    def decompress(self, data: bytes, most: int) -> bytes:
        # A few packed bytes at a time, since the package unpacks all that it is given: 1 KiB may become 16 MiB.
        self._given += data
        try:
            while not self._ready and self._given and not self._unpacker.eof:
                piece, self._given = self._given[:1024], self._given[1024:]
                self._ready = memoryview(self._unpacker.decompress(piece))
        except self._error as error:
            raise ValueError(str(error)) from error
        content, self._ready = bytes(self._ready[:most]), self._ready[most:]
        return content


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISSOCK, "a socket"))
    return next((name for is_so, name in kinds if is_so(mode)), "a device")


_OPENERS: Mapping[str, Callable[[BinaryIO], BinaryIO]] = {
    ".gz": _gzip,
    ".xz": partial(_streamed, partial(lzma.LZMADecompressor, memlimit=MOST_MEMORY)),
    ".bz2": partial(_streamed, bz2.BZ2Decompressor),
    ".zst": _zstandard,
}
PACKED_SUFFIXES = tuple(_OPENERS)
