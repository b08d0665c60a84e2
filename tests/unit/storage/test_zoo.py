"""Zoos: found, searched, read in place from archives, indexed."""

import json
import multiprocessing
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import adaptkit
from adaptkit.errors import (
    ConfigError,
    IndexMismatch,
    MalformedConfig,
    NotAnAdapter,
    SourceNotFound,
    UnexpectedFile,
    UnknownLanguage,
)
from adaptkit.format.card import Card, LanguageLines
from adaptkit.format.folder import whole_folder
from adaptkit.format.lock import only_writer
from adaptkit.model import AdaptedModel
from adaptkit.storage import Zoo
from tests.adapters import random_adapter
from tests.tiny import tiny_model
from tests.zoos import LORA, made_zoo, tarred, zipped

PLACES = [
    "tiny-bert/language/sw",
    "tiny-bert/language/sw-news",
    "tiny-bert/language/wal-Latn",
    "tiny-bert/task/topics",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = made_zoo(tmp_path_factory.mktemp("zoo"), tiny_model())
    (folder / ".half-written").mkdir()
    (folder / ".half-written" / "adaptkit.json").write_text("{}")
    return folder


def test_what_is_a_zoo_is_said_to_whoever_takes_it_for_an_adapter(folder: Path, tmp_path: Path) -> None:
    for place in (folder, folder / "tiny-bert"):
        with pytest.raises(NotAnAdapter, match="it is a zoo"):
            adaptkit.load_adapter(place)
    with pytest.raises(NotAnAdapter, match="as a Zoo"):
        adaptkit.load_adapter(zipped(folder, tmp_path / "zoo.zip"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotAnAdapter, match="written by"):
        adaptkit.load_adapter(tmp_path / "empty")


@pytest.fixture(params=["folder", "zip", "stored zip", "tar"])
def zoo(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Zoo:
    packed = {
        "folder": lambda: folder,
        "zip": lambda: zipped(folder, tmp_path / "zoo.zip"),
        "stored zip": lambda: zipped(folder, tmp_path / "zoo.zip", method=0),
        "tar": lambda: tarred(folder, tmp_path / "zoo.tar"),
    }
    return adaptkit.Zoo(packed[request.param]())


def test_all_adapters_are_found_in_order(zoo: Zoo) -> None:
    assert [listing.place for listing in zoo] == PLACES
    assert [listing.id for listing in zoo] == [place.removeprefix("tiny-bert/") for place in PLACES]
    assert len(zoo) == 4
    assert "4 adapters" in repr(zoo)


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({"language": "Swahili"}, ["sw", "sw-news"]),
        ({"language": "swh_Latn", "licence": "cc by nc 4.0"}, ["sw"]),
        ({"script": "Latn"}, ["sw", "sw-news", "wal-Latn"]),
        ({"script": "latin", "task": "sib"}, ["sw", "sw-news", "wal-Latn"]),
        ({"script": "Ethi"}, []),
        ({"family": "bantu"}, ["sw", "sw-news"]),
        ({"family": "Omotic"}, ["wal-Latn"]),
        ({"family": "atlantic-congo"}, ["sw", "sw-news"]),
        ({"family": "Basque"}, []),
        ({"kind": "task"}, ["topics"]),
        ({"task": "classification"}, ["topics"]),
        ({"task": "Topics"}, ["topics"]),
        ({"task": "task/topics"}, ["topics"]),
        ({"task": "topics", "kind": "language"}, []),
        ({"task": "sw"}, []),
        ({"task": "SIB-200", "licence": "CC0-1.0"}, ["sw-news", "wal-Latn"]),
        ({"method": "lora"}, ["sw", "sw-news", "wal-Latn"]),
        ({"backbone": "another"}, []),
    ],
)
def test_search(zoo: Zoo, facts: dict[str, str], found: list[str]) -> None:
    assert [listing.record.name for listing in zoo.search(**facts)] == found


@pytest.mark.parametrize("indexed", [False, True])
def test_an_adapter_for_several_languages_is_found_by_each(tmp_path: Path, *, indexed: bool) -> None:
    folder, lines = made_zoo(tmp_path, tiny_model()), (("rw", 30), ("xh", 20))
    card = Card(languages=tuple(LanguageLines(language=tag, n_lines=n) for tag, n in lines))
    replace(random_adapter(tiny_model(), LORA, name="bantu"), language=None, card=card).save(folder / "bantu")
    zoo = adaptkit.Zoo(folder)
    if indexed:
        zoo.write_index()
        zoo = adaptkit.Zoo(folder)
    for asked in ({"language": "Kinyarwanda"}, {"language": "xh", "kind": "language"}, {"family": "Nguni"}):
        assert [listing.id for listing in zoo.search(**asked)] == ["language/bantu"]
    assert {listing.id for listing in zoo.search(family="bantu")} == {
        "language/bantu",
        "language/sw",
        "language/sw-news",
    }
    loaded = zoo.load("language/bantu")
    assert (loaded.language, loaded.languages) == (None, ("rw", "xh"))
    readme = (folder / "bantu" / "README.md").read_text()
    assert "language:\n- rw\n- xh\n" in readme
    assert "  - Kinyarwanda (" in readme
    assert "(30 lines)" in readme


@pytest.mark.parametrize("tags", [["rw"], ["rw", "rw"], ["rw", "swh_Latn"]], ids=str)
def test_languages_that_cannot_be_right_are_refused(tags: list[str], tmp_path: Path) -> None:
    entries = tuple(LanguageLines(language=tag, n_lines=1) for tag in tags)
    replace(random_adapter(tiny_model(), LORA), language=None, card=Card(languages=entries)).save(tmp_path / "bantu")
    with pytest.raises(MalformedConfig, match="language"):
        adaptkit.load_adapter(tmp_path / "bantu")


def test_what_is_loaded_is_what_was_saved(zoo: Zoo, folder: Path) -> None:
    model = tiny_model()
    packed, plain = zoo.load("language/sw"), adaptkit.load_adapter(folder / PLACES[0])
    assert packed.weights_sha256 == plain.weights_sha256
    model.attach(packed)
    with_zoo = model.encode(["mbuzi anakula"], stack=packed)
    model.detach(packed.id)
    model.attach_zoo(zoo)
    torch.testing.assert_close(model.encode(["mbuzi anakula"], stack="language/sw"), with_zoo)
    assert zoo.load(PLACES[1]).id == "language/sw-news"
    assert zoo.find("task/topics").size_bytes == zoo.load("task/topics").size_bytes


def test_what_is_not_there_is_told(zoo: Zoo) -> None:
    with pytest.raises(NotAnAdapter, match="holds no adapter 'language/ha'; it has language/sw, language/sw-news"):
        zoo.load("language/ha")
    with pytest.raises(UnknownLanguage):
        zoo.search(language="Swahilii")
    with pytest.raises(ConfigError, match="kind is one of language, domain, task"):
        zoo.search(kind="languages")
    with pytest.raises(ConfigError, match=r"called 'Bantuu'\. Did you mean Narrow Bantu or"):
        zoo.search(family="Bantuu")


def test_two_of_one_id_are_named_by_their_places(tmp_path: Path) -> None:
    zoo = made_zoo(tmp_path, tiny_model())
    adaptkit.load_adapter(zoo / PLACES[0]).save(zoo / "other")
    with pytest.raises(ConfigError, match="name one by its place: other or tiny-bert/language/sw"):
        Zoo(zoo).load("language/sw")


def test_what_a_writer_keeps_there_for_a_time_is_no_file_of_a_zoo(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "zoo", ignore=shutil.ignore_patterns(".half-written")))
    before = Zoo(copy).write_index().read_bytes()
    with only_writer(copy / "gn", what="training"), whole_folder(copy / "ha") as partial:
        (partial / "adaptkit.json").write_text("half")
        (copy / ".index.json.adaptkit-new-abcdefgh").write_text("left by a kill")
        assert Zoo(copy).check().render() == before
        assert Zoo(copy).write_index().read_bytes() == before
    (copy / ".notes.lock").write_text("mine")
    with pytest.raises(UnexpectedFile, match=r"notes\.lock"):
        Zoo(copy).check()


def test_evaluation_takes_an_archive(tmp_path: Path) -> None:
    from adaptkit.evaluation.conditions import LanguageAdapters

    zoo = made_zoo(tmp_path / "zoo", tiny_model())
    (zoo / "tiny-bert/language/sw-news").rename(tmp_path / "news")
    found = LanguageAdapters.of(zipped(zoo, tmp_path / "zoo.zip"), tiny_model().backbone)
    assert sorted(found.languages) == ["sw", "wal-Latn"]


def test_no_such_place(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound):
        Zoo(tmp_path / "none")


class TestIndex:
    @pytest.fixture
    def indexed(self, tmp_path: Path, model: AdaptedModel) -> Path:
        Zoo(made_zoo(tmp_path / "zoo", model)).write_index()
        return tmp_path / "zoo"

    def test_it_says_what_the_folders_say(self, indexed: Path) -> None:
        content = json.loads((indexed / "index.json").read_text())
        first = content["adapters"][0]
        assert [entry["place"] for entry in content["adapters"]] == PLACES
        assert (first["id"], first["language"], first["licence"]) == ("language/sw", "sw", "CC-BY-NC-4.0")
        assert first["scores"][0]["score_with"] == 60.0
        assert sorted(first["files"]) == [
            "README.md",
            "adapter_config.json",
            "adapter_model.safetensors",
            "adaptkit.json",
        ]

    def test_made_again_it_is_the_same_bytes(self, indexed: Path) -> None:
        before = (indexed / "index.json").read_bytes()
        Zoo(indexed).write_index()
        assert (indexed / "index.json").read_bytes() == before
        assert Zoo(indexed).check().render() == before
        assert Zoo(zipped(indexed, indexed.parent / "zoo.zip")).check().render() == before

    def test_what_was_added_or_taken_away_is_told(self, indexed: Path, model: AdaptedModel) -> None:
        from tests.adapters import random_adapter

        random_adapter(model, LORA, name="ha").save(indexed / "ha")
        with pytest.raises(IndexMismatch, match="does not list ha"):
            Zoo(indexed).check()
        Zoo(indexed).write_index()
        (indexed / "ha").rename(indexed.parent / "ha")
        with pytest.raises(IndexMismatch, match="lists ha, which is not there"):
            Zoo(indexed).check()

    def test_files_beside_the_adapters_are_listed_too(self, indexed: Path) -> None:
        (indexed / "README.md").write_text("Not for commercial use.")
        with pytest.raises(IndexMismatch, match=r"README\.md"):
            Zoo(indexed).check()
        Zoo(indexed).write_index()
        Zoo(indexed).check()
        (indexed / "README.md").write_text("For any use.")
        with pytest.raises(IndexMismatch, match=r"README\.md"):
            Zoo(indexed).check()

    @pytest.mark.parametrize("name", ["notes.txt", "tiny-bert/language/sw/adapter_model.bin", ".hidden/x"])
    def test_another_file_is_told(self, indexed: Path, name: str) -> None:
        (indexed / name).parent.mkdir(exist_ok=True)
        (indexed / name).write_text("x")
        with pytest.raises(UnexpectedFile):
            Zoo(indexed).check()

    def test_a_zoo_without_an_index_is_told(self, tmp_path: Path, model: AdaptedModel) -> None:
        with pytest.raises(NotAnAdapter, match=r"index\.json"):
            Zoo(made_zoo(tmp_path / "zoo", model)).check()

    def test_archives_are_not_written_to(self, indexed: Path) -> None:
        with pytest.raises(ConfigError, match="is an archive"):
            Zoo(zipped(indexed, indexed.parent / "zoo.zip")).write_index()


def _save_and_index(zoo: Path, number: int) -> None:
    adapter = adaptkit.load_adapter(zoo / PLACES[0]).renamed(f"language/sw-{number}")
    adapter.save(zoo / f"sw-{number}")
    Zoo(zoo).write_index()


def test_writers_at_once_leave_a_whole_zoo(tmp_path: Path) -> None:
    zoo = made_zoo(tmp_path / "zoo", tiny_model())
    # One process imports what all need, and the writers are copies of it, which begin together.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    writers = [context.Process(target=_save_and_index, args=(zoo, number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    # Each index was whole; the last one written may be older than the last adapter.
    Zoo(zoo).write_index()
    assert len(Zoo(zoo).check().adapters) == 7
