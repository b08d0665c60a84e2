"""Packed files and special ones: the same lines whatever the packing, and a clear error for what is no text."""

import bz2
import gzip
import io
import lzma
import os
import random
import socket
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adaptkit.data import packed as packed_module
from adaptkit.data.corpus import open_corpus
from adaptkit.data.packed import PACKED_SUFFIXES
from adaptkit.data.parallel import open_parallel
from adaptkit.errors import ConfigError, MalformedText, SourceNotFound
from adaptkit.labelled import read_labelled

LINES = [f"Ọjà {number} ti ṣí." for number in random.Random(0).sample(range(10**6), 9000)]
CONTENT = "\n".join(LINES).encode()
Pack = Callable[[bytes], bytes]


def _zstandard(content: bytes) -> bytes:
    module = pytest.importorskip("zstandard")
    return bytes(module.ZstdCompressor().compress(content))


PACKERS: dict[str, Pack] = {".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress, ".zst": _zstandard}
EACH = pytest.mark.parametrize("suffix", PACKED_SUFFIXES)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(PACKERS[path.suffix](content))
    return path


@EACH
def test_a_corpus_in_several_packed_parts(suffix: str, tmp_path: Path) -> None:
    pack, half = PACKERS[suffix], len(CONTENT) // 2
    (tmp_path / f"a.txt{suffix}").write_bytes(pack(CONTENT[:half]) + pack(CONTENT[half:]))
    assert list(open_corpus(tmp_path / f"a.txt{suffix}").lines()) == LINES


@EACH
def test_parallel_text_and_tables(suffix: str, tmp_path: Path) -> None:
    pairs = write(tmp_path / f"pairs.tsv{suffix}", b"en\tsw\nRain\tMvua\n")
    assert list(open_parallel(pairs, target="sw").pairs()) == [("Rain", "Mvua")]
    table = write(tmp_path / f"table.csv{suffix}", b"text,label\nRain,wet\nSun,dry\n")
    assert read_labelled(table).labels == ("dry", "wet")
    pq.write_table(pa.table({"text": ["Rain", "Sun"], "label": ["wet", "dry"]}), tmp_path / "plain.parquet")
    parquet = write(tmp_path / f"t.parquet{suffix}", (tmp_path / "plain.parquet").read_bytes())
    assert read_labelled(parquet).labels == ("dry", "wet")


@EACH
def test_a_file_that_is_cut_off_or_none(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.txt{suffix}"
    whole = PACKERS[suffix](CONTENT)
    for broken in (whole[: len(whole) // 2], b"no packed file at all", whole + b"and more"):
        path.write_bytes(broken)
        with pytest.raises(MalformedText, match="broken"):
            list(open_corpus(path).lines())


@EACH
def test_a_line_of_many_zeros_is_refused_before_it_is_unpacked(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"bomb.txt{suffix}", b"0" * 2**25)
    assert path.stat().st_size < 2**16
    with pytest.raises(MalformedText, match="without a line end"):
        list(open_corpus(path).lines())


def test_an_xz_file_that_needs_much_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        packed_module._OPENERS,
        ".xz",
        lambda file: packed_module._streamed(lambda: lzma.LZMADecompressor(memlimit=2**20), file),
    )
    with pytest.raises(MalformedText, match=r"[Mm]emory"):
        list(open_corpus(write(tmp_path / "a.txt.xz", CONTENT)).lines())


def test_zstandard_that_is_not_there_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt.zst").write_bytes(b"(\xb5/\xfd")

    def nothing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(packed_module, "import_module", nothing)
    with pytest.raises(ConfigError, match=r"pip install '[\w-]+\[zstd\]'"):
        list(open_corpus(tmp_path / "a.txt.zst").lines())


@pytest.mark.parametrize("place", ["/dev/zero", "/dev/null", "/proc/self/mem"])
def test_no_text_of_the_system(place: str) -> None:
    if not Path(place).exists():
        pytest.skip(f"no {place} here")
    with pytest.raises(SourceNotFound, match=place):
        list(open_corpus(place).lines())
    with pytest.raises(SourceNotFound, match=place):
        read_labelled(place, task_type="tagging")


def test_no_socket_and_no_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("a.txt")
        with pytest.raises(SourceNotFound, match="socket"):
            list(open_corpus("a.txt").lines())
    Path("b.txt").touch(mode=0o000)
    if os.access("b.txt", os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(SourceNotFound, match="cannot be opened"):
        list(open_corpus("b.txt").lines())


def _tar(folder: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(folder / "a.tsv", arcname="package/a.tsv")
    return packed.getvalue()


def _zip(folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(folder / "a.tsv", arcname="a.tsv")
    return packed.getvalue()


NO_TEXT: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "a.tar": (_tar, "found a tar archive; expected text: unpack it, and name the file or folder in it"),
    "a.tgz": (lambda folder: gzip.compress(_tar(folder)), "found a tar archive"),
    **{
        f"a.tar{suffix}": (lambda folder, pack=pack: pack(_tar(folder)), "found a tar archive")  # type: ignore[misc]
        for suffix, pack in PACKERS.items()
    },
    "a.zip": (_zip, "found a zip archive"),
    "a.xlsx": (_zip, "found a document of an office program; expected text: save it"),
    "b.tsv": (lambda _: bz2.compress(b"Rain\tMvua\n"), r"found a file packed by bzip2 \(.bz2\)"),
}


@pytest.mark.parametrize("name", NO_TEXT)
def test_an_archive_is_told_wherever_text_is_asked_for(name: str, tmp_path: Path) -> None:
    make, said = NO_TEXT[name]
    (tmp_path / "a.tsv").write_text("Rain\tMvua\n", encoding="utf-8")
    (tmp_path / name).write_bytes(make(tmp_path))
    readers: list[Callable[[Path], object]] = [
        lambda path: list(open_corpus(path).lines()),
        lambda path: list(open_parallel(path, target="sw").pairs()),
        read_labelled,
    ]
    for read in readers:
        with pytest.raises(MalformedText, match=said):
            read(tmp_path / name)
