"""Archives that lie: paths that leave them, links, bombs, members twice, broken directories."""

import io
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from adaptkit.errors import AdapterFileError, LimitExceeded, MalformedArchive, NotAnAdapter, UnsafePath
from adaptkit.format import archive as module
from adaptkit.storage import Zoo
from tests.tiny import tiny_model
from tests.zoos import made_zoo, tarred, zipped


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_zoo(tmp_path_factory.mktemp("zoo"), tiny_model())


NAMES = [
    "../out.json",
    "/etc/out.json",
    "a/../../out.json",
    "a//b.json",
    "a\\..\\b.json",
    "C:out.json",
    "a/\x1b[31m.json",
    "a/\u202e.json",
    "x" * 600,
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
@pytest.mark.parametrize("packed", ["zip", "tar"])
def test_paths_that_are_none(tmp_path: Path, name: str, packed: str) -> None:
    path = tmp_path / packed
    if packed == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(zipfile.ZipInfo(name), b"{}")
    else:
        with tarfile.open(path, "w") as archive:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UnsafePath):
        _ = Zoo(path).listings
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar(tmp_path: Path, kind: bytes) -> None:
    entry = tarfile.TarInfo("sw/adaptkit.json")
    entry.type, entry.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "zoo.tar", "w") as archive:
        archive.addfile(entry)
    with pytest.raises(UnsafePath, match="link or a device"):
        _ = Zoo(tmp_path / "zoo.tar").listings


def test_links_in_a_zip(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("sw/adaptkit.json")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "zoo.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(UnsafePath, match="link or a device"):
        _ = Zoo(tmp_path / "zoo.zip").listings


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "zoo.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sw/adapter_model.safetensors", bytes(200 * 2**20))
    with pytest.raises(LimitExceeded, match="claims to unpack to 209,715,200"):
        _ = Zoo(tmp_path / "zoo.zip").listings


def test_a_member_that_unpacks_to_more_than_it_says(folder: Path, tmp_path: Path) -> None:
    path = zipped(folder, tmp_path / "zoo.zip")
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("tiny-bert/language/sw/adaptkit.json").file_size
    content = path.read_bytes()
    changed = content.replace(size.to_bytes(4, "little"), (size - 1).to_bytes(4, "little"))
    assert changed != content
    path.write_bytes(changed)
    with pytest.raises(AdapterFileError):
        Zoo(path).load("language/sw")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_path_twice(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "zoo.zip", "w") as archive:
        archive.writestr("sw/adaptkit.json", "{}")
        archive.writestr("sw/adaptkit.json", "{ }")
    with pytest.raises(MalformedArchive, match="twice"):
        _ = Zoo(tmp_path / "zoo.zip").listings


def test_too_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MEMBERS", 3)
    with zipfile.ZipFile(tmp_path / "zoo.zip", "w") as archive:
        for number in range(4):
            archive.writestr(f"{number}", "")
    with pytest.raises(LimitExceeded, match="more than 3 files"):
        _ = Zoo(tmp_path / "zoo.zip").listings


def test_a_directory_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_READ_AT_ONCE", 2**16)
    with zipfile.ZipFile(tmp_path / "zoo.zip", "w") as archive:
        for number in range(1000):
            archive.writestr(f"{number:0100}", "")
    with pytest.raises(MalformedArchive, match="larger than any"):
        _ = Zoo(tmp_path / "zoo.zip").listings


def test_a_header_that_claims_gigabytes_takes_none(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 8 * 2**30
    (tmp_path / "zoo.tar").write_bytes(entry.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(MalformedArchive):
        _ = Zoo(tmp_path / "zoo.tar").listings


def test_compressed_tar_files_and_others_are_refused(folder: Path, tmp_path: Path) -> None:
    tarred(folder, tmp_path / "zoo.tar.gz", mode="w:gz")
    (tmp_path / "text").write_text("not an archive")
    (tmp_path / "empty").write_bytes(b"")
    for name in ("zoo.tar.gz", "text"):
        with pytest.raises(MalformedArchive):
            _ = Zoo(tmp_path / name).listings
    with pytest.raises((MalformedArchive, NotAnAdapter)):
        Zoo(tmp_path / "empty").load("language/sw")


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_changed_bytes_never_crash_or_load_something_else(
    folder: Path, tmp_path: Path, pack: Callable[[Path, Path], Path]
) -> None:
    path = pack(folder, tmp_path / "zoo")
    sound = {listing.id: listing.load().weights_sha256 for listing in Zoo(path)}
    content = path.read_bytes()
    chosen = random.Random(0)
    refused = 0
    for _ in range(300):
        changed = bytearray(content)
        for _ in range(chosen.choice((1, 1, 4, 16))):
            changed[chosen.randrange(len(changed))] = chosen.randrange(256)
        if chosen.random() < 0.1:
            del changed[chosen.randrange(len(changed)) :]
        path.write_bytes(changed)
        for name in sound:
            try:
                assert Zoo(path).load(name).weights_sha256 == sound[name]
            except AdapterFileError:
                refused += 1
    assert refused > 30
