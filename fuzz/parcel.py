"""A folder as one piece of bytes, so that an engine can keep and change it."""

import os
import shutil
from pathlib import Path

Parcel = dict[str, tuple[bytes, bytes]]
"""Kind and content of each file by name. Kinds: `f` a file, `l` a symlink to the content, `p` a pipe, `d` a folder."""

_KINDS = b"flpd"


def pack(parcel: Parcel) -> bytes:
    """One piece of bytes."""
    parts = []
    for name, (kind, content) in parcel.items():
        called = name.encode("utf-8", "surrogateescape")[:255]
        parts += [kind, bytes([len(called)]), called, len(content).to_bytes(4, "little"), content]
    return b"".join(parts)


def unpack(data: bytes) -> Parcel:
    """What `pack` packed; of other bytes, whatever can be made of them."""
    parcel: Parcel = {}
    at = 0
    while at + 2 <= len(data):
        kind, length = data[at : at + 1], data[at + 1]
        name = data[at + 2 : at + 2 + length].decode("utf-8", "surrogateescape")
        at += 2 + length
        size = int.from_bytes(data[at : at + 4], "little")
        content = data[at + 4 : at + 4 + size]
        at += 4 + size
        # The harness must not write elsewhere itself.
        if name not in {"", ".", ".."} and "/" not in name and "\0" not in name:
            parcel[name] = (kind if kind in _KINDS else b"f", content)
    return parcel


def parcel_of(folder: Path) -> Parcel:
    """A folder of plain files."""
    return {file.name: (b"f", file.read_bytes()) for file in sorted(folder.iterdir())}


def lay_out(parcel: Parcel, folder: Path) -> None:
    """Write the folder anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, (kind, content) in parcel.items():
        place = folder / name
        if kind == b"l":
            place.symlink_to(os.fsdecode(content.replace(b"\0", b"")[:200] or b"x"))
        elif kind == b"p":
            os.mkfifo(place)
        elif kind == b"d":
            place.mkdir()
        else:
            place.write_bytes(content)
