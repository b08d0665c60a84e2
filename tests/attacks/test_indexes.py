"""Indexes that lie or are broken."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adaptkit.errors import AdapterFileError, IndexMismatch, LimitExceeded, MalformedConfig, UnknownVersion, UnsafePath
from adaptkit.storage import Zoo
from adaptkit.storage import format as spec
from tests.tiny import tiny_model
from tests.zoos import made_zoo


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    Zoo(made_zoo(tmp_path / "zoo", tiny_model())).write_index()
    return tmp_path / "zoo"


def _first(content: Any) -> Any:  # noqa: ANN401 - JSON
    return content["adapters"][0]


CHANGES: dict[str, tuple[type[AdapterFileError], Callable[[Any], object]]] = {
    "another version": (UnknownVersion, lambda it: it.update(format_version=2)),
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
