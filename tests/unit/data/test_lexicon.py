"""Dictionaries: what is read of a file, and what of a text is known."""

import gzip
import re
import unicodedata
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adaptkit.data.lexicon import Lexicon, Stems
from adaptkit.data.lexicon_source import LexiconSource, open_lexicon
from adaptkit.data.source import Source
from adaptkit.errors import ConfigError, EmptyCorpus, MalformedText, SourceNotFound

ENTRIES = (("nyumba", "house"), ("nyumba", "home"), ("shule ya msingi", "primary school"), ("shule", "school"))


def file_with(folder: Path, text: str) -> Path:
    (folder / "sw_en.tsv").write_text(text, encoding="utf-8")
    return folder / "sw_en.tsv"


def glossed(entries: LexiconSource, text: str) -> str:
    return open_lexicon(entries).glossed(text, Random(0))


def test_the_first_two_columns_are_word_and_translation(tmp_path: Path) -> None:
    file = file_with(tmp_path, "word\tEnglish\tpart of speech\nnyumba\thouse; home\tnoun\n\nmaji\twater\n")
    lexicon = open_lexicon(file)
    assert lexicon.entries == (("nyumba", "house"), ("nyumba", "home"), ("maji", "water"))
    assert lexicon.description == "sw_en.tsv"


def test_a_first_line_of_words_that_are_language_codes_is_an_entry(tmp_path: Path) -> None:
    assert open_lexicon(file_with(tmp_path, "na\tand\n")).entries == (("na", "and"),)


def test_packed_files_and_several_are_read(tmp_path: Path) -> None:
    (tmp_path / "more.tsv.gz").write_bytes(gzip.compress(b"maji\twater\n"))
    names: list[Path | str] = [file_with(tmp_path, "nyumba\thouse\n"), str(tmp_path / "more.tsv.gz")]
    both = open_lexicon(names)
    assert both.entries == (("nyumba", "house"), ("maji", "water"))
    assert both.description == "2 files: sw_en.tsv, more.tsv.gz"


@pytest.mark.parametrize(
    "source",
    [ENTRIES, iter(ENTRIES), {"nyumba": ["house", "home"], "shule ya msingi": "primary school", "shule": "school"}],
)
def test_pairs_and_mappings_are_dictionaries(source: LexiconSource) -> None:
    assert open_lexicon(source).entries == ENTRIES


def test_a_lexicon_is_itself() -> None:
    lexicon = Lexicon(ENTRIES, stems="both")
    assert open_lexicon(lexicon) is lexicon
    assert open_lexicon(lexicon, licence=lexicon.licence) is lexicon


REFUSED: dict[str, tuple[Any, type[Exception]]] = {
    "no word with a translation": ([("nyumba", " "), ("", "house"), ("123", "number")], EmptyCorpus),
    "there is no file": ("nowhere.tsv", SourceNotFound),
    r"dictionary, line 2: found a str; expected a pair \(word, translation\)": (
        [("maji", "water"), "x"],
        MalformedText,
    ),
    "line 1: found a value of type int": ([("maji", 3)], MalformedText),
    "a int is not a dictionary": (3, ConfigError),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_no_dictionary_is_refused(message: str) -> None:
    source, error = REFUSED[message]
    with pytest.raises(error, match=message):
        open_lexicon(source)


def test_a_line_without_a_tab_is_named(tmp_path: Path) -> None:
    with pytest.raises(MalformedText, match=re.escape("sw_en.tsv, line 2: found a line without a tab")):
        open_lexicon(file_with(tmp_path, "maji\twater\nnyumba house\n"))


def test_the_longest_entry_counts_and_nothing_else_of_a_text_changes() -> None:
    assert glossed(ENTRIES[2:], "Shule, (shule ya  msingi) na shule ya pili!") == (
        "School, (primary school) na school ya pili!"
    )


def test_words_of_an_entry_stand_together() -> None:
    assert glossed(ENTRIES[2:], "shule. Ya msingi") == "school. Ya msingi"
    assert glossed([("shule-ya-msingi", "primary school")], "shule ya msingi") == "primary school"


def test_case_form_and_apostrophes_make_no_other_word() -> None:
    lexicon = open_lexicon([("ng'ọmbe", "cow")])
    for written in ("NG'ỌMBE", "Ng’ọmbe", "ngʼọmbe", unicodedata.normalize("NFD", "ng'ọmbe"), "'ng'ọmbe'"):
        assert lexicon.known(written) == (1, 1), written


def test_syllables_with_points_between_are_words_and_get_spaces() -> None:
    # Of the dictionary the point is another than of the text, as in published ones.
    assert glossed([("ཁྱིམ༌ཚང", "family"), ("ང", "I")], "ང་ཁྱིམ་ཚང་བུ།") == "I family བུ།"


@pytest.mark.parametrize(
    ("stems", "known"), [("none", "wasi"), ("begin", "wasi wasikuna"), ("both", "wasi wasikuna hatwasi")]
)
def test_forms_of_a_word_stand_for_the_longest_entry_in_it(stems: Stems, known: str) -> None:
    lexicon = Lexicon((("wasi", "house"), ("was", "was")), stems=stems)
    text = "wasi wasikuna hatwasi wasikunapaqmi hatun"
    assert [text[match.start : match.end] for match in lexicon.matches(text)] == known.split()
    assert {translation for match in lexicon.matches(text) for translation in match.translations} == {"house"}


def test_no_such_stems_is_refused() -> None:
    with pytest.raises(ConfigError, match="stems is none, begin, both, found 'end'"):
        Lexicon(ENTRIES, stems="end")  # type: ignore[arg-type]


def test_known_words_are_counted_with_all_of_an_entry() -> None:
    assert open_lexicon(ENTRIES).known("Shule ya msingi iko mbali, 2026") == (3, 5)
    assert open_lexicon(ENTRIES).known("2026!") == (0, 0)


def test_translations_are_drawn_and_a_share_of_the_words_is_glossed() -> None:
    lexicon, text = open_lexicon(ENTRIES), " ".join(["nyumba"] * 400)
    words = lexicon.glossed(text, Random(1), share=0.3).split()
    assert words == lexicon.glossed(text, Random(1), share=0.3).split()
    assert 80 < 400 - words.count("nyumba") < 160
    assert abs(words.count("house") - words.count("home")) < 40
    assert lexicon.glossed(text, Random(1), share=0.0) == text


@pytest.mark.real_data
def test_published_dictionaries_know_words_of_their_languages(data_folder: Path) -> None:
    guarani = open_lexicon(data_folder / "lexicon" / "gatitos" / "gn_en.tsv.gz")
    assert len(guarani) == 3991
    lines = gzip.decompress((data_folder / "text/nllb-seed/grn_Latn.gz").read_bytes()).decode().splitlines()[:500]
    known, words = map(sum, zip(*map(guarani.known, lines), strict=True))
    assert 0.3 < known / words < 0.5


@pytest.mark.parametrize(
    ("own", "of_source", "otherwise", "licence"),
    [
        ("not stated", "not stated", "not stated", "not stated"),
        ("not stated", "not stated", "CC0-1.0", "CC0-1.0"),
        ("not stated", "MIT", "CC0-1.0", "MIT"),
        ("CC-BY-4.0", "not stated", "CC0-1.0", "CC-BY-4.0"),
        ("CC-BY-4.0", "MIT", "CC0-1.0", "MIT"),
    ],
)
def test_its_licence_is_what_is_said_nearest_to_the_caller(
    own: str, of_source: str, otherwise: str, licence: str
) -> None:
    opened = open_lexicon(Source(Lexicon(ENTRIES, licence=own), licence=of_source), licence=otherwise)
    assert opened.licence == licence


def test_no_index_is_made_before_a_text_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []

    def noted(word: str) -> str:
        looked_up.append(word)
        return word

    monkeypatch.setattr("adaptkit.data.lexicon.as_looked_up", noted)
    opened = open_lexicon(Source(ENTRIES, name="our list"), licence="MIT")
    assert looked_up == []
    assert opened.known("shule") == (1, 1)


def test_a_word_that_begins_with_an_apostrophe_is_found_however_that_is_written() -> None:
    lexicon = Lexicon((("ʻoku", "is"),))
    assert lexicon.glossed("ʻOku 'oku ‘oku", Random(0)) == "ʻIs 'is ‘is"


def test_a_text_without_spaces_is_no_word_with_millions_of_beginnings() -> None:
    tried: list[str] = []

    class Watched(dict[tuple[str, ...], tuple[str, ...]]):
        def get(self, key: tuple[str, ...], default: Any = None) -> Any:  # noqa: ANN401
            tried.append(key[0])
            return super().get(key, default)

    lexicon = Lexicon((("mbuzi", "goat"), ("maji", "water")), stems="begin")
    vars(lexicon)["_translations"] = Watched(lexicon._translations)
    assert lexicon.matches("mbuzi" * 1000) == []
    assert len(tried) == 1
    assert lexicon.glossed("mbuzini", Random(0)) == "goat"
