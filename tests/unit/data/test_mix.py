"""Which lists are a mix of sources, and which are one source of sentences or pairs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import overload

import datasets
import pytest

from adaptkit.data.mix import MOST_SOURCES, parallel_sources, text_sources
from adaptkit.data.part import parallel_part, read_parts, text_part
from adaptkit.data.source import Source
from adaptkit.errors import ConfigError, MalformedText, SourceNotFound, UnknownLanguage
from adaptkit.requests.written import parallels
from tests.names import write_emoji

PAIRS = [("The goat sleeps.", "Akuya tana barci."), ("Two eggs.", "Ƙwai biyu.")]


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for side, name in enumerate(("a.en", "a.ha")):
        Path(name).write_text("\n".join(pair[side] for pair in PAIRS), encoding="utf-8")
    Path("b.tsv").write_text("fr\tha\nDeux œufs.\tƘwai biyu.\n", encoding="utf-8")
    Path("c.txt").write_text("Akuya.\n\nƘwai.\n", encoding="utf-8")
    return tmp_path


ONE: dict[str, Callable[[], object]] = {
    "a file": lambda: "b.tsv",
    "a pair of files": lambda: ("a.en", "a.ha"),
    "pairs": lambda: PAIRS,
    "pairs as lists": lambda: [list(pair) for pair in PAIRS],
    "pairs like files": lambda: [("a.b", "c.d"), ("e.f", "g.h")],
    "an iterator": lambda: iter(PAIRS),
    "nothing": list,
}


@pytest.mark.parametrize("made", ONE.values(), ids=ONE)
@pytest.mark.usefixtures("in_folder")
def test_what_is_one_source(made: Callable[[], object]) -> None:
    given = made()
    assert [source.text for source in parallel_sources(given)] == [given]


@pytest.mark.usefixtures("in_folder")
def test_a_list_of_several_kinds_is_a_mix() -> None:
    named = Source("b.tsv", name="eggs")
    rows = datasets.Dataset.from_list([{"en": "egg", "ha": "ƙwai"}])
    given = ["b.tsv", ("a.en", "a.ha"), PAIRS, named, Path("b.tsv"), rows, iter(PAIRS)]
    found = parallel_sources(given)
    assert [source.text for source in found] == [*given[:3], "b.tsv", *given[4:]]
    assert found[3] is named


class Described(Sequence[tuple[str, str]]):
    """Pairs that say what they are, as those that were mined do."""

    description = "pairs of mine"
    source_language = "fr"

    def __len__(self) -> int:
        return len(PAIRS)

    @overload
    def __getitem__(self, place: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, place: slice) -> list[tuple[str, str]]: ...
    def __getitem__(self, place: int | slice) -> tuple[str, str] | list[tuple[str, str]]:
        return PAIRS[place]


def test_pairs_of_any_class_are_a_source_each() -> None:
    given = [Described(), dict.fromkeys(PAIRS).keys(), Described()]
    found = parallel_sources(given)
    assert [source.text for source in found] == given
    parts = [parallel_part(source, "ha") for source in found]
    assert [part.languages for part in parts] == ["fr to ha", "to ha from a language not stated", "fr to ha"]
    assert [part.name for part in parts] == ["pairs of mine", "an iterable of pairs", "pairs of mine"]
    rows = [(row.translation, row.text, row.part) for row in read_parts(parts)]
    assert rows == [(*pair, number) for number in range(3) for pair in PAIRS]


@pytest.mark.parametrize("wrong", [None, 7, b"bytes", {"en": "egg"}])
def test_what_is_no_source_is_told_with_its_place_among_pairs(wrong: object) -> None:
    with pytest.raises(MalformedText, match="line 2: found a"):
        [list(read_parts([parallel_part(source, "ha")])) for source in parallel_sources([PAIRS[0], wrong])]


@pytest.mark.usefixtures("in_folder")
def test_every_part_has_its_own_source_language_and_number() -> None:
    parts = [parallel_part(source, "ha") for source in parallel_sources([("a.en", "a.ha"), "b.tsv", PAIRS])]
    assert [part.languages for part in parts] == [
        "to ha from a language not stated",
        "fr to ha",
        "to ha from a language not stated",
    ]
    assert [(row.translation, row.part) for row in read_parts(parts)] == [
        *((source, 0) for source, _ in PAIRS),
        ("Deux œufs.", 1),
        *((source, 2) for source, _ in PAIRS),
    ]


@pytest.mark.usefixtures("in_folder")
def test_documents_of_two_sources_are_not_one() -> None:
    parts = [text_part(source, "ha") for source in text_sources(["c.txt", "c.txt", ["Ruwa."]])]
    found = [(row.text, row.document, row.part) for row in read_parts(parts)]
    documents = [document for _, document, _ in found]
    assert [(text, part) for text, _, part in found] == [
        *(("Akuya.", 0), ("Ƙwai.", 0), ("Akuya.", 1), ("Ƙwai.", 1), ("Ruwa.", 2))
    ]
    assert len(set(documents)) == 5
    assert documents == sorted(documents)


@pytest.mark.usefixtures("in_folder")
def test_a_pair_of_sentences_among_sources_is_refused() -> None:
    with pytest.raises(ConfigError, match="a list of their own"):
        parallel_sources(["b.tsv", PAIRS[0]])


@pytest.mark.usefixtures("in_folder")
def test_a_pair_of_files_of_which_one_is_not_there_is_told() -> None:
    with pytest.raises(SourceNotFound, match=r"no file a\.hau\. Did you mean a\.ha"):
        [parallel_part(source, "ha") for source in parallel_sources([("a.en", "a.hau")])]


@pytest.mark.usefixtures("in_folder")
def test_a_list_of_text_files_is_a_mix_and_one_of_sentences_is_not() -> None:
    assert [source.text for source in text_sources(["c.txt", "c.txt"])] == ["c.txt", "c.txt"]
    assert len(text_sources(["Akuya.", "Ruwa."])) == 1
    assert len(text_sources(["c.txt", ["Akuya.", "Ruwa."], Source("c.txt")])) == 3


def test_many_files_are_one_source_and_many_named_sources_are_refused() -> None:
    many = [f"{number}.txt" for number in range(MOST_SOURCES + 1)]
    assert [source.text for source in text_sources(many)] == [many]
    assert [source.text for source in parallel_sources(many)] == [many]
    for split in (text_sources, parallel_sources):
        with pytest.raises(ConfigError, match="at most 64"):
            split([Source(name) for name in many])


def test_a_source_says_what_cannot_be_right() -> None:
    with pytest.raises(ConfigError, match="one line"):
        Source("a.tsv", name="a\nb")
    with pytest.raises(UnknownLanguage):
        Source("a.tsv", source_lang="Hausaa")
    with pytest.raises(ConfigError, match="given a Source"):
        Source(Source("a.tsv"))


def test_behind_a_file_whose_name_has_a_comma_stands_what_is_known_of_it(in_folder: Path) -> None:
    (in_folder / "a, b.tsv").write_bytes(Path("b.tsv").read_bytes())
    assert parallel_sources(parallels(["a, b.tsv,source_lang=fr,weight=2"])) == [
        Source(Path("a, b.tsv"), source_lang="fr", weight=2)
    ]


def test_what_is_of_no_use_to_a_source_is_refused(in_folder: Path) -> None:
    names = write_emoji(in_folder / "names")
    for text in (names, "b.tsv", ("a.en", "a.ha"), PAIRS):
        with pytest.raises(ConfigError, match=r"column='ha' names a column of text without translations"):
            parallel_part(Source(text, column="ha"), "ha")
    with pytest.raises(ConfigError, match=r"source_lang='fr' is the language of translations"):
        text_part(Source("c.txt", source_lang="fr"), "ha")
