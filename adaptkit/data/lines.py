"""Numbered lines of a text file, decoded one at a time so that an error can name its line."""

import codecs
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from adaptkit.data.packed import BrokenPacked, open_bytes, read_some
from adaptkit.errors import MalformedText

MAX_LINE_BYTES = 16 * 2**20
"""A longer line is refused: a file without line ends must not fill the memory."""

MAX_DOCUMENT_BYTES = 512 * 2**20
"""A larger file is refused where it has to be read in one piece."""

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    r"""Yield `(number, line)` from 1 on, without line ends.

    Lines end at `\n` or `\r\n` and nowhere else (U+2028 is part of a line); a byte order mark is dropped.

    Raises:
        SourceNotFound: a device or the like, or the system does not give the content.
        MalformedText: the file is not UTF-8, is packed and broken, or has a line above `MAX_LINE_BYTES`.

    """
    number = 0
    try:
        with open_bytes(path) as stream:
            line = partial(read_some, path, partial(stream.readline, MAX_LINE_BYTES + 1))
            for number, raw in enumerate(iter(line, b""), start=1):
                yield number, _decode(path, number, raw)
    except BrokenPacked as error:
        raise _broken(path, number + 1, error) from error


def read_document(path: Path) -> str:
    """Read a file that is one piece, such as a JSON document.

    Raises:
        SourceNotFound: a device or the like, or the system does not give the content.
        MalformedText: the file is not UTF-8, is packed and broken, or is above `MAX_DOCUMENT_BYTES`.

    """
    raw = read_whole(path)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise MalformedText(path, line, f"a byte that is not UTF-8 (0x{raw[error.start]:02x})", "UTF-8 text") from error


def read_whole(path: Path) -> bytes:
    """Read the bytes of a file, unpacked.

    Raises:
        SourceNotFound, MalformedText: as `read_document`.

    """
    try:
        with open_bytes(path) as stream:
            raw = read_some(path, partial(stream.read, MAX_DOCUMENT_BYTES + 1))
    except BrokenPacked as error:
        raise _broken(path, 1, error) from error
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise MalformedText(path, 1, f"more than {MAX_DOCUMENT_BYTES:,} bytes in one document", "a smaller file")
    return raw


def _broken(path: Path, number: int, error: Exception) -> MalformedText:
    name = {".gz": "gzip", ".bz2": "bzip2", ".zst": "Zstandard"}.get(path.suffix.lower(), path.suffix.lower()[1:])
    return MalformedText(path, number, f"a broken {name} file ({error})", f"a complete {name} file")


def _decode(path: Path, number: int, raw: bytes) -> str:
    if len(raw) > MAX_LINE_BYTES:
        raise MalformedText(path, number, f"more than {MAX_LINE_BYTES:,} bytes without a line end", "lines of text")
    if number == 1 and raw.startswith(_UTF16_MARKS):
        raise MalformedText(path, number, "a UTF-16 byte order mark", "UTF-8 text (convert it: iconv -f utf-16)")
    try:
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        found = f"a byte that is not UTF-8 (0x{raw[error.start]:02x}, byte {error.start + 1} of the line)"
        raise MalformedText(path, number, found, "UTF-8 text") from error
    return text.removesuffix("\n").removesuffix("\r")
