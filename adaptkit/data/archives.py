"""Files that hold other files, or are packed without saying so, given where text is expected."""

from pathlib import Path

from adaptkit.errors import MalformedText

LOOKED_AT = 512
"""Bytes at the beginning of a file that tell."""

_ARCHIVES = (
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (257, b"ustar", "tar"),
)
"""Where a sign stands, and of what."""
_PACKED = (
    (0, b"\x1f\x8b", "gzip (.gz)"),
    (0, b"\xfd7zXZ\x00", "xz (.xz)"),
    (4, b"1AY&SY", "bzip2 (.bz2)"),
    (0, b"\x28\xb5\x2f\xfd", "Zstandard (.zst)"),
)
_PACKED_TAR = frozenset({".tgz", ".txz", ".tbz", ".tbz2", ".tzst"})
_OFFICE = frozenset({".xlsx", ".docx", ".ods", ".odt"})


def require_no_archive(path: Path, beginning: bytes) -> None:
    """See that a file holds text, by its beginning, unpacked where its name says that it is packed.

    Raises:
        MalformedText: It is an archive, or packed by a program that its name does not tell.
    """
    suffix = path.suffix.lower()
    archive, packed = (
        next((kind for place, sign, kind in signs if beginning.startswith(sign, place)), None)
        for signs in (_ARCHIVES, _PACKED)
    )
    if archive == "zip" and suffix in _OFFICE:
        found, right = "a document of an office program", "text: save it as plain text, or a table as CSV"
    elif archive or (packed and suffix in _PACKED_TAR):
        found, right = f"a {archive or 'tar'} archive", "text: unpack it, and name the file or folder in it"
    elif packed:
        found, right = f"a file packed by {packed}", "text, or a name that ends as such a file's does"
    else:
        return
    raise MalformedText(path, 1, found, right)
