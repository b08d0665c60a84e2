"""Zoos of many adapters, listed from their index: what is read for it, and that it shows nothing else than without."""

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adaptkit.errors import AdapterFileError, IndexMismatch, MalformedConfig, NotAnAdapter
from adaptkit.evaluation.conditions import LanguageAdapters
from adaptkit.format import folder, spec
from adaptkit.format.record import Record, read_record
from adaptkit.format.strict_json import parse_json
from adaptkit.model.paging import PagedZoo
from adaptkit.storage import Zoo, load_adapter
from tests.tiny import tiny_model
from tests.zoos import made_zoo

MANY = 200
LANGUAGES = ["sw", "ha", "yo", "zu", "am", "wal-Latn"]
LICENCES = ["CC0-1.0", "CC-BY-4.0", "Apache-2.0"]
SEARCHES: list[dict[str, str]] = [
    {},
    {"language": "Swahili"},
    {"script": "Ethi"},
    {"family": "Bantu", "licence": "cc0 1.0"},
    {"kind": "task"},
    {"task": "sib"},
    {"task": "classification"},
    {"method": "bottleneck"},
    {"method": "lora", "backbone": "tiny-bert"},
]


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 adapters with an index."""
    return _copies(tmp_path_factory.mktemp("some"), 30)


@pytest.fixture
def zoo(some: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(some, tmp_path / "zoo"))


def _copies(top: Path, n: int) -> Path:
    """A zoo of so many adapters, which differ in what is said of them."""
    made = made_zoo(top / "made", tiny_model())
    sources = sorted(path.parent for path in made.rglob(spec.RECORD_FILE))
    for number in range(n):
        place = top / "zoo" / f"a{number:03}"
        shutil.copytree(sources[number % len(sources)], place)
        _say(place, name=f"a{number:03}")
        if number % len(sources) < 3:
            _say(place, language=LANGUAGES[number % len(LANGUAGES)])
        _say_on_card(place, licence=LICENCES[number % len(LICENCES)], source=f"text {number}")
    Zoo(top / "zoo").write_index()
    return top / "zoo"


def _edit(path: Path, change: Callable[[Any], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _say(place: Path, **facts: str) -> None:
    _edit(place / spec.RECORD_FILE, lambda record: record.update(facts))


def _say_on_card(place: Path, **facts: str) -> None:
    _edit(place / spec.RECORD_FILE, lambda record: record["card"].update(facts))


def _shown(path: Path) -> object:
    """All that search, list, find and attach show of a zoo that is opened now."""
    zoo = Zoo(path)
    found = [[(one.place, one.facts) for one in zoo.search(**facts)] for facts in SEARCHES]
    broken = {place: (type(error), str(error)) for place, error in zoo.broken.items()}
    return found, broken, _or_error(lambda: zoo.find("no").id), _or_error(lambda: PagedZoo.of(path, 0).fused)


def _or_error(ask: Callable[[], object]) -> object:
    try:
        return ask()
    except AdapterFileError as error:
        return type(error), str(error)


def _require_same_without_index(path: Path, aside: Path) -> None:
    with_index = _shown(path)
    (path / spec.INDEX_FILE).rename(aside)
    without = _shown(path)
    aside.rename(path / spec.INDEX_FILE)
    assert with_index == without


class Read:
    """What was read: records that were decoded, files by how often they were opened, and how many JSON texts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.records: list[str] = []
        self.files: Counter[Path] = Counter()
        self.n_json = 0
        read_file = folder.read_file

        def counted_record(files: folder.Files) -> Record:
            self.records.append(files.path.name)
            return read_record(files)

        def counted_file(place: Path, name: str, *, max_bytes: int) -> bytes:
            self.files[place / name] += 1
            return read_file(place, name, max_bytes=max_bytes)

        def counted_json(content: bytes) -> object:
            self.n_json += 1
            return parse_json(content)

        monkeypatch.setattr("adaptkit.format.listing.read_record", counted_record)
        monkeypatch.setattr(folder, "read_file", counted_file)
        monkeypatch.setattr("adaptkit.format.folder.parse_json", counted_json)


def test_only_what_the_index_does_not_have_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _copies(tmp_path, MANY)
    read = Read(monkeypatch)
    assert len(Zoo(path).search(licence="CC0-1.0")) == len(range(0, MANY, len(LICENCES)))
    assert len(PagedZoo.of(path, 0).listings) == MANY
    assert read.records == []
    assert read.n_json == 2, "the index, for each of the two"
    assert not any(file.name == spec.WEIGHTS_FILE for file in read.files)
    _say_on_card(path / "a007", licence="MIT")
    (path / "a011" / spec.CONFIG_FILE).write_text("{}")
    (path / "a013").rename(path / "new")
    zoo = Zoo(path)
    assert [one.place for one in zoo.search(licence="mit")] == ["a007"]
    assert list(zoo.broken) == ["a011"]
    assert read.records == ["a007", "a011", "new"]


def test_a_check_reads_each_file_once(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Read(monkeypatch)
    Zoo(zoo).check()
    adapters = {file: times for file, times in read.files.items() if file.parent != zoo}
    assert set(adapters.values()) == {1}
    assert len(adapters) == 4 * 30


def _make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _same_bytes_anew(path: Path) -> None:
    path.write_bytes(path.read_bytes())


CHANGES: list[Callable[[Path], object]] = [
    lambda place: _say_on_card(place, licence="MIT"),
    lambda place: _say_on_card(place, source="\u202e"),
    lambda place: _say_on_card(place, licence="a\nb"),
    lambda place: _say(place, language="ha"),
    lambda place: _say(place, language="swh"),
    lambda place: _say(place, name="no"),
    lambda place: _say(place, kind="task"),
    lambda place: _edit(place / spec.RECORD_FILE, lambda record: record.update(format_version=99)),
    lambda place: (place / spec.RECORD_FILE).write_bytes((place / spec.RECORD_FILE).read_bytes()[:-9]),
    lambda place: (place / spec.RECORD_FILE).unlink(),
    lambda place: _make_pipe(place / spec.RECORD_FILE),
    lambda place: _make_pipe(place / spec.CONFIG_FILE),
    lambda place: (place / spec.CONFIG_FILE).write_text("{}"),
    lambda place: (place / spec.CONFIG_FILE).unlink(),
    lambda place: (place / spec.WEIGHTS_FILE).unlink(),
    lambda place: _same_bytes_anew(place / spec.RECORD_FILE),
    lambda place: shutil.rmtree(place),
    lambda place: place.rename(place.with_name(f"{place.name}-moved")),
    lambda place: shutil.copytree(place, place.with_name(f"{place.name}-again")),
]


@pytest.mark.parametrize("seed", range(6))
def test_changed_at_random_it_shows_what_it_shows_without_the_index(zoo: Path, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    places = chance.sample(sorted(path for path in zoo.iterdir() if path.is_dir()), 5)
    for place in places:
        chance.choice(CHANGES)(place)
    _require_same_without_index(zoo, tmp_path / "aside")


def test_each_change_alone(zoo: Path, tmp_path: Path) -> None:
    for number, change in enumerate(CHANGES):
        change(zoo / f"a{number:03}")
    _require_same_without_index(zoo, tmp_path / "aside")


# What a record cannot say is not believed, and neither is an index that is none.
UNBELIEVABLE: dict[str, Callable[[Any], object]] = {
    "unchanged": lambda _: None,
    "an id that is none": lambda index: index["adapters"][0].update(id="sw"),
    "a language that is none": lambda index: index["adapters"][0].update(language="Klingonish"),
    "another name of the language": lambda index: index["adapters"][0].update(language="swh"),
    "a terminal's colours": lambda index: index["adapters"][0].update(source="\x1b[31m"),
    "lines in a score": lambda index: index["adapters"][0]["scores"][0].update(task="SIB\nok"),
    "it fuses what is not an id": lambda index: index["adapters"][0].update(fuses=["sw"]),
    "a version to come": lambda index: index["adapters"][0].update(format_version=99, licence="MIT"),
    "another hash": lambda index: index["adapters"][0]["files"][spec.RECORD_FILE].update(sha256="0", licence="MIT"),
    "no hash": lambda index: _lie(index, licence="MIT", files={}),
    "a place that is not there": lambda index: index["adapters"][0].update(place="../a000"),
    "an entry less": lambda index: index["adapters"].pop(4),
    "no fact of version 2": lambda index: [entry.pop("source") for entry in index["adapters"]],
    "a version of the index to come": lambda index: index.update(format_version=3),
    "no list": lambda index: index.update(adapters=7),
}


def _lie(index: Any, **facts: object) -> None:  # noqa: ANN401
    index["adapters"][0].update(facts)


@pytest.mark.parametrize("change", UNBELIEVABLE.values(), ids=UNBELIEVABLE)
def test_an_index_that_cannot_be_believed(zoo: Path, tmp_path: Path, change: Callable[[Any], object]) -> None:
    _edit(zoo / spec.INDEX_FILE, change)
    _require_same_without_index(zoo, tmp_path / "aside")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_an_index_that_is_none(zoo: Path, tmp_path: Path, content: bytes) -> None:
    (zoo / spec.INDEX_FILE).write_bytes(content)
    _require_same_without_index(zoo, tmp_path / "aside")


def test_an_index_that_is_a_pipe(zoo: Path, tmp_path: Path) -> None:
    _make_pipe(zoo / spec.INDEX_FILE)
    _require_same_without_index(zoo, tmp_path / "aside")


LIES: dict[str, object] = {
    "licence": "MIT",
    "source": "the Bible",
    "language": "ha",
    "id": "language/other",
    "backbone": "another",
    "method": "bottleneck",
    "head": "qa",
    "fuses": ["language/a001"],
    "scores": [],
}


@pytest.mark.parametrize(("name", "lie"), LIES.items(), ids=LIES)
def test_what_a_lying_index_lists_is_not_loaded(zoo: Path, name: str, lie: object) -> None:
    """The hashes are right and a fact is not: a list shows it, and everything that reads the adapter refuses it."""
    _edit(zoo / spec.INDEX_FILE, lambda index: _lie(index, **{name: lie}))
    found = next(one for one in Zoo(zoo).search() if one.place == "a000")
    with pytest.raises(IndexMismatch, match=f"another {name} than its own files say"):
        _ = found.card
    with pytest.raises(IndexMismatch, match="another"):
        found.load()
    with pytest.raises(IndexMismatch, match="another"):
        Zoo(zoo).load("a000")
    with pytest.raises(IndexMismatch):
        Zoo(zoo).check()


def test_a_stack_names_no_adapter_that_an_index_invents(zoo: Path) -> None:
    _edit(zoo / spec.INDEX_FILE, lambda index: _lie(index, id="language/other"))
    model = tiny_model()
    assert "language/other" in model.attach_zoo(zoo)
    with pytest.raises(IndexMismatch, match="another id"):
        model.encode(["mbuzi"], stack="language/other")
    assert model.attached == ()


def test_no_index_hides_an_adapter_from_an_evaluation(zoo: Path) -> None:
    for place in sorted(zoo.iterdir()):
        if place.is_dir() and place.name not in ("a000", "a001"):
            shutil.rmtree(place)
    backbone = tiny_model().backbone
    assert sorted(LanguageAdapters.of(zoo, backbone).languages) == ["ha", "sw"]
    _edit(zoo / spec.INDEX_FILE, lambda index: _lie(index, id="task/a000"))
    with pytest.raises(IndexMismatch, match="another id"):
        LanguageAdapters.of(zoo, backbone)


def test_what_is_listed_as_sound_and_is_not_is_not_loaded(zoo: Path) -> None:
    (zoo / "a000" / spec.CONFIG_FILE).write_text("{}")
    true = Zoo(zoo)._contents()["a000"].hashes[spec.CONFIG_FILE]
    _edit(zoo / spec.INDEX_FILE, lambda index: index["adapters"][0]["files"].update({spec.CONFIG_FILE: vars(true)}))
    (found,) = [one for one in Zoo(zoo).search() if one.place == "a000"]
    with pytest.raises(MalformedConfig):
        found.load()
    with pytest.raises(MalformedConfig):
        Zoo(zoo).check()


@pytest.mark.parametrize("indexed", [True, False])
def test_what_is_written_anew_after_it_was_listed(zoo: Path, indexed: bool) -> None:
    if not indexed:
        (zoo / spec.INDEX_FILE).unlink()
    found = Zoo(zoo).find("a000")
    _say_on_card(zoo / "a000", licence="MIT")
    assert (found.licence, found.load().card.licence) == ("CC0-1.0", "MIT")
    model = tiny_model()
    model.attach_zoo(zoo)
    load_adapter(zoo / "a000").renamed("language/other").save(zoo / "a000", overwrite=True)
    with pytest.raises(NotAnAdapter, match="holds language/other now, and held language/a000"):
        model.encode(["mbuzi"], stack="language/a000")


def test_an_index_of_version_1_is_checked_and_no_list_is_made_from_it(
    zoo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest = (zoo / spec.INDEX_FILE).read_bytes()

    def make_older(index: Any) -> None:  # noqa: ANN401
        index["format_version"] = 1
        for entry in index["adapters"]:
            for name in ("format_version", "head", "fuses", "source"):
                del entry[name]

    _edit(zoo / spec.INDEX_FILE, make_older)
    assert Zoo(zoo).check().render() == (zoo / spec.INDEX_FILE).read_bytes() != latest
    _require_same_without_index(zoo, tmp_path / "aside")
    read = Read(monkeypatch)
    Zoo(zoo).search()
    assert len(read.records) == 30
    _edit(zoo / spec.INDEX_FILE, lambda index: _lie(index, licence="MIT"))
    with pytest.raises(IndexMismatch, match="says of a000 something else"):
        Zoo(zoo).check()
    Zoo(zoo).write_index()
    assert Zoo(zoo).search(licence="MIT") == []
