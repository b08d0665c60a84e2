"""Zoos: archives that are read in place, and indexes."""

import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

from adaptkit.storage import Zoo
from fuzz.json_mutation import changed_json
from fuzz.mutation import changed_bytes
from fuzz.soundness import check_adapter, require
from fuzz.target import Target
from fuzz.watch import SCRATCH

_GOLDEN = Path(__file__).parents[2] / "tests" / "golden" / "v4"
_ARCHIVE = SCRATCH / "zoo.packed"
_FOLDER = SCRATCH / "zoo"
_NAMES = (
    "../out",
    "a\\b",
    "C:x",
    "x\x1b[31m",
    "a//b",
    "./a",
    "lora/adaptkit.json",
    "y" * 600,
    "index.json",
)
_MARKS = (b"PK\x01\x02", b"PK\x05\x06", b"PK\x03\x04", b"ustar", b"././@LongLink")
_MOST_BYTES = 2**20


@cache
def _zoo() -> Path:
    """A zoo of golden adapters with its index."""
    folder = SCRATCH / "sound-zoo"
    for record in sorted(_GOLDEN.glob("*/adaptkit.json")):
        shutil.copytree(record.parent, folder / record.parent.name, dirs_exist_ok=True)
    Zoo(folder).write_index()
    return folder


def _members() -> dict[str, bytes]:
    return {
        path.relative_to(_zoo()).as_posix(): path.read_bytes() for path in sorted(_zoo().rglob("*")) if path.is_file()
    }


def _zip(members: dict[str, bytes], method: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return made.getvalue()


def _tar(members: dict[str, bytes], kind: int = tarfile.PAX_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=kind) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


@cache
def _archives() -> list[bytes]:
    members = _members()
    return [
        _zip(members, zipfile.ZIP_DEFLATED),
        _zip(members, zipfile.ZIP_STORED),
        _tar(members),
        _tar({"n" * 150 + "/notes": b""} | members, tarfile.GNU_FORMAT),
    ]


def _changed_archive(data: bytes, random: Random) -> bytes:
    """Bytes changed at random, or where archives keep their facts, or an archive packed anew with a hostile member."""
    match random.randrange(4):
        case 0:
            return changed_bytes(data, random)[:_MOST_BYTES]
        case 1:
            find = random.choice((data.find, data.rfind))
            at = max(0, find(random.choice(_MARKS))) + random.randrange(60)
            return data[:at] + random.choice((b"\xff" * 4, bytes(4), random.randbytes(4))) + data[at + 4 :]
        case _:
            return _packed_anew(random)


def _packed_anew(random: Random) -> bytes:
    members = _members()
    name = random.choice(list(members))
    content = members.pop(name)
    members[random.choice((*_NAMES, name))] = random.choice((content, changed_bytes(content, random), bytes(2**19)))
    if random.random() < 0.5:
        return _tar(members)
    return _zip(members, random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))


def _write_archive(data: bytes) -> None:
    _ARCHIVE.write_bytes(data)


def _read_archive(_data: bytes) -> Callable[[], None]:
    zoo = Zoo(_ARCHIVE)
    adapters = [listing.load() for listing in zoo]

    def check() -> None:
        for adapter in adapters:
            check_adapter(adapter)

    return check


@cache
def _indexes() -> list[bytes]:
    return [(_zoo() / "index.json").read_bytes()]


def _changed_index(data: bytes, random: Random) -> bytes:
    return (changed_json if random.random() < 0.8 else changed_bytes)(data, random)[:_MOST_BYTES]


def _write_index(data: bytes) -> None:
    if not _FOLDER.is_dir():
        shutil.copytree(_zoo(), _FOLDER)
    (_FOLDER / "index.json").write_bytes(data)


def _read_index(data: bytes) -> Callable[[], None]:
    listed = [listing.place for listing in Zoo(_FOLDER).search()]
    require(listed == [listing.place for listing in Zoo(_zoo())], "an index hides an adapter, or invents one")
    Zoo(_FOLDER).check()
    return lambda: require(data == _indexes()[0], "another index was taken for this zoo's")


ARCHIVE = Target(seeds=_archives, mutate=_changed_archive, prepare=_write_archive, read=_read_archive)
INDEX = Target(seeds=_indexes, mutate=_changed_index, prepare=_write_index, read=_read_index)
