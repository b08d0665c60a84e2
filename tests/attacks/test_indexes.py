"""Indexes that lie or are broken."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adaptkit.errors import (
    AdapterFileError,
    ConfigError,
    IndexMismatch,
    LimitExceeded,
    MalformedConfig,
    NotAnAdapter,
    UnknownVersion,
    UnsafePath,
)
from adaptkit.format import origins, spec
from adaptkit.storage import Zoo, load_adapter
from tests.tiny import tiny_model
from tests.zoos import made_zoo, zipped


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    Zoo(made_zoo(tmp_path / "zoo", tiny_model())).write_index()
    return tmp_path / "zoo"


def _first(content: Any) -> Any:  # noqa: ANN401 - JSON
    return content["adapters"][0]


CHANGES: dict[str, tuple[type[AdapterFileError], Callable[[Any], object]]] = {
    "another version": (UnknownVersion, lambda it: it.update(format_version=3)),
    "no version": (UnknownVersion, lambda it: it.pop("format_version")),
    "an unknown field": (MalformedConfig, lambda it: it.update(url="x")),
    "an adapter twice": (MalformedConfig, lambda it: it["adapters"].append(_first(it))),
    "out of order": (MalformedConfig, lambda it: it["adapters"].reverse()),
    "no adapter listed": (IndexMismatch, lambda it: it["adapters"].clear()),
    "another licence": (IndexMismatch, lambda it: _first(it).update(licence="MIT")),
    "a better score": (IndexMismatch, lambda it: _first(it)["scores"][0].update(score_with=99.0)),
    "a file less": (IndexMismatch, lambda it: _first(it)["files"].pop("README.md")),
    "a file more": (IndexMismatch, lambda it: _first(it)["files"].update(x={"bytes": 1, "sha256": "0"})),
    "a size that is none": (MalformedConfig, lambda it: _first(it)["files"]["README.md"].update(bytes=True)),
    "a list of adapters that is none": (MalformedConfig, lambda it: it.update(adapters={})),
    "a place outside": (AdapterFileError, lambda it: _first(it).update(place="../zoo/tiny-bert/language/sw")),
}


@pytest.mark.parametrize(("error", "change"), CHANGES.values(), ids=CHANGES)
def test_an_index_that_lies(zoo: Path, error: type[AdapterFileError], change: Callable[[Any], object]) -> None:
    path = zoo / "index.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    with pytest.raises(error):
        Zoo(zoo).check()


def test_the_same_in_other_bytes(zoo: Path) -> None:
    path = zoo / "index.json"
    path.write_text(json.dumps(json.loads(path.read_text())))
    with pytest.raises(IndexMismatch, match="in other bytes"):
        Zoo(zoo).check()


def test_a_huge_index_is_not_read(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec, "MAX_INDEX_BYTES", 100)
    with pytest.raises(LimitExceeded):
        Zoo(zoo).check()


def test_links_are_not_followed(zoo: Path, tmp_path: Path) -> None:
    (zoo / "tiny-bert/language/sw").rename(tmp_path / "elsewhere")
    (zoo / "tiny-bert/language/sw").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AdapterFileError):
        Zoo(zoo).check()
    (zoo / "tiny-bert/language/sw").unlink()
    (tmp_path / "elsewhere").rename(zoo / "tiny-bert/language/sw")
    (zoo / "index.json").rename(tmp_path / "index.json")
    (zoo / "index.json").symlink_to(tmp_path / "index.json")
    with pytest.raises(UnsafePath):
        Zoo(zoo).check()


def test_a_zoo_that_holds_itself_ends(zoo: Path) -> None:
    (zoo / "loop").symlink_to(zoo)
    assert len(Zoo(zoo)) == 4
    with pytest.raises(AdapterFileError):
        Zoo(zoo).check()


def test_folders_in_folders_without_end(zoo: Path) -> None:
    deep = zoo / "deep"
    for _ in range(60):
        deep = deep / "d"
    deep.mkdir(parents=True)
    found = Zoo(zoo)
    assert len(found.search()) == 4
    (error,) = found.broken.values()
    assert isinstance(error, LimitExceeded)
    with pytest.raises(LimitExceeded, match="32 folders deep"):
        Zoo(zoo).check()


def test_thousands_of_folders_in_folders(zoo: Path) -> None:
    """Deeper than Python calls itself, and than a path may be long."""
    at = os.open(zoo, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=at)
        below = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    try:
        found = Zoo(zoo)
        assert len(found.search()) == 4
        assert len(found.broken) == 1
        with pytest.raises(LimitExceeded):
            Zoo(zoo).check()
    finally:
        # What tidies up behind the tests calls itself.
        while (zoo / "d").exists():
            (zoo / "d").rename(zoo / "e")
            if (zoo / "e" / "d").exists():
                (zoo / "e" / "d").rename(zoo / "d")
            (zoo / "e").rmdir()


def test_what_is_broken_hides_nothing_else(zoo: Path) -> None:
    sw, news = zoo / "tiny-bert/language/sw", zoo / "tiny-bert/language/sw-news"
    (sw / spec.RECORD_FILE).unlink()
    os.mkfifo(sw / spec.RECORD_FILE)
    (news / spec.CONFIG_FILE).write_text("{")
    found = Zoo(zoo)
    assert [listing.id for listing in found.search()] == ["language/wal-Latn", "task/topics"]
    assert {place: type(error) for place, error in found.broken.items()} == {
        "tiny-bert/language/sw": NotAnAdapter,
        "tiny-bert/language/sw-news": MalformedConfig,
    }
    assert found.load("task/topics").id == "task/topics"
    with pytest.raises(NotAnAdapter, match="and 2 that cannot be read"):
        found.load("language/sw")
    with pytest.raises(MalformedConfig):
        found.load("tiny-bert/language/sw-news")
    with pytest.raises(AdapterFileError):
        found.require_sound()
    with pytest.raises(AdapterFileError):
        Zoo(zoo).check()


@pytest.mark.parametrize("left", [".DS_Store", "Thumbs.db", "desktop.ini", "._adaptkit.json", ".gitattributes"])
def test_what_systems_leave_is_no_file_of_a_zoo(zoo: Path, left: str, tmp_path: Path) -> None:
    before = (zoo / "index.json").read_bytes()
    for folder in (zoo, zoo / "tiny-bert", zoo / "tiny-bert/language/sw"):
        (folder / left).write_bytes(b"left")
    (zoo / "__MACOSX" / "tiny-bert").mkdir(parents=True)
    (zoo / "__MACOSX" / "tiny-bert" / "._sw").write_bytes(b"left")
    assert Zoo(zoo).check().render() == before
    assert Zoo(zipped(zoo, tmp_path / "zoo.zip")).check().render() == before
    adapter = load_adapter(zoo / "tiny-bert/language/sw")
    adapter.save(zoo / "tiny-bert/language/sw", overwrite=True)
    assert Zoo(zoo).check().render() == before
    kept = (zoo / "tiny-bert/language/sw" / left).exists()
    assert kept == (left == ".gitattributes")


def test_what_somebody_keeps_there_is_not_thrown_away(zoo: Path) -> None:
    folder = zoo / "tiny-bert/language/sw"
    (folder / ".git").mkdir()
    Zoo(zoo).check()
    with pytest.raises(ConfigError, match=r"\.git"):
        load_adapter(folder).save(folder, overwrite=True)


def test_thousands_of_records_of_one_backbone_are_told_apart(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The backbone's part is decoded once; a record that hides or changes it is read as it stands."""
    monkeypatch.setattr(origins, "_kept", {})
    listings = list(Zoo(zoo))
    first = listings[0].record
    assert listings[1].record.backbone is first.backbone
    path = zoo / "tiny-bert/language/sw-news" / spec.RECORD_FILE
    content = path.read_text()
    path.write_text(content.replace('"n_blocks": 2', '"n_blocks": 3'))
    assert Zoo(zoo).find("tiny-bert/language/sw-news").record.backbone.shape.n_blocks == 3
    path.write_text(content.replace('\n "backbone": {', '\n "backbone": true,\n "backbone": {'))
    with pytest.raises(MalformedConfig, match="repeated"):
        _ = Zoo(zoo).find("tiny-bert/language/sw-news").record
    path.write_text(content.replace('"n_blocks": 2', '"n_blocks": true'))
    with pytest.raises(MalformedConfig, match="an integer"):
        _ = Zoo(zoo).find("tiny-bert/language/sw-news").record
