"""Names in CLDR's form, written by hand, as text with translations."""

from pathlib import Path

import pytest

from adaptkit.data.cldr import is_cldr
from adaptkit.data.mix import parallel_sources
from adaptkit.data.parallel import open_parallel
from adaptkit.data.part import parallel_part
from adaptkit.data.source import Source
from adaptkit.errors import ConfigError, MalformedText, SourceNotFound
from adaptkit.requests.written import parallels
from tests.names import write_emoji, write_places


@pytest.fixture
def emoji(tmp_path: Path) -> Path:
    return write_emoji(tmp_path / "emoji")


@pytest.fixture
def places(tmp_path: Path) -> Path:
    return write_places(
        tmp_path / "places", {"en": {"KE": "Kenya", "DE": "Germany"}, "sw": {"KE": "KE", "DE": "Ujerumani"}}
    )


def test_emoji_give_their_names_and_their_keywords(emoji: Path) -> None:
    corpus = open_parallel(emoji, target="sw")
    assert list(corpus.pairs())[:2] == [("goat", "mbuzi"), ("animal, farm", "mnyama, shamba")]
    assert corpus.source_language == "en"
    assert corpus.description == "CLDR's names of emoji"
    # Of the third sign, Swahili has no keywords.
    assert corpus.empty_pairs == 1
    backwards = open_parallel(emoji, target="en", source_language="sw")
    assert next(backwards.pairs()) == ("mbuzi", "goat")


def test_countries_give_their_names_where_both_languages_have_one(places: Path) -> None:
    for folder in (places, places / "main"):
        corpus = open_parallel(folder, target="sw")
        assert list(corpus.pairs()) == [("Germany", "Ujerumani")]
        assert corpus.description == "CLDR's names of countries"


def test_a_folder_may_have_both_and_each_in_other_languages(emoji: Path) -> None:
    write_places(emoji, {"en": {"DE": "Germany"}, "sw": {"DE": "Ujerumani"}, "gn": {"DE": "Alemáña"}})
    corpus = open_parallel(emoji, target="sw")
    assert list(corpus.pairs())[::5] == [("goat", "mbuzi"), ("Germany", "Ujerumani")]
    assert corpus.description == "CLDR's names of emoji and countries"
    only = open_parallel(emoji, target="gn")
    assert list(only.pairs()) == [("Germany", "Alemáña")]
    assert only.description == "CLDR's names of countries"
    with pytest.raises(SourceNotFound, match=r"the names in ha would be \(it has en, sw\)"):
        open_parallel(emoji, target="ha")


def test_a_region_has_its_own_names_and_for_the_others_those_of_the_language(emoji: Path) -> None:
    write_emoji(emoji, {"sw-KE": {"🐐": ("", ["mnyama wa shamba"]), "🐄": ("ng'ombe", [])}})
    write_places(emoji, {"en": {"DE": "Germany"}, "sw": {"DE": "Ujerumani"}})
    for tag, keywords in {"sw-KE": "mnyama wa shamba", "sw-TZ": "mnyama, shamba"}.items():
        pairs = list(open_parallel(emoji, target=tag).pairs())
        assert pairs[:3] == [("goat", "mbuzi"), ("animal, farm", keywords), ("ear of maize", "gunzi")]
        assert pairs[-1] == ("Germany", "Ujerumani")
    assert next(open_parallel(emoji, target="sw", source_language="en-GB").pairs()) == ("goat", "mbuzi")


def test_a_wider_language_is_offered_and_not_taken(tmp_path: Path) -> None:
    folder = write_emoji(tmp_path, {"en": {"🐐": ("goat", [])}, "qu": {"🐐": ("kabra", [])}})
    with pytest.raises(SourceNotFound, match=r"It has qu, to which quy belongs: .* give qu as the language"):
        open_parallel(folder, target="quy")
    assert list(open_parallel(folder, target="qu").pairs()) == [("goat", "kabra")]


def test_a_folder_may_be_named_from_the_home_folder(emoji: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(emoji.parent))
    monkeypatch.setenv("USERPROFILE", str(emoji.parent))
    for named in ("~/emoji", Path("~/emoji/")):
        assert next(open_parallel(named, target="sw").pairs()) == ("goat", "mbuzi")
    assert parallel_sources(parallels(["~/emoji", "a.txt"])) == [Source(Path("~/emoji")), Source(Path("a.txt"))]


def test_a_folder_is_a_source_among_others_as_a_shell_writes_it(emoji: Path, places: Path) -> None:
    assert parallel_sources(parallels([str(emoji), str(places)])) == [Source(emoji), Source(places)]
    (written,) = parallel_sources(parallels([f"{emoji},licence=Unicode-3.0"]))
    assert written == Source(emoji, licence="Unicode-3.0")
    part = parallel_part(written, "sw")
    assert part.of_words
    assert (part.source_language, parallel_part(written, "en", preferred="sw").source_language) == ("en", "sw")


@pytest.mark.parametrize(
    ("pairs", "of_words"),
    [
        ([("goat", "mbuzi"), ("to go to", "enda"), ("water", "maji")], True),
        (
            [("The goat drinks water.", "Mbuzi anakunywa maji."), ("goat", "mbuzi"), ("It is here.", "Ipo hapa sasa.")],
            False,
        ),
        ([("The goat drinks water.", "แพะดื่มน้ำ")], False),
        ([("山羊", "แพะ"), ("饮用水", "น้ำดื่ม")], True),
        ([("山羊在农场里喝干净的水。", "แพะดื่มน้ำสะอาดในฟาร์มของชาวนา")], False),
    ],
)
def test_a_dictionary_is_told_from_sentences(pairs: list[tuple[str, str]], of_words: bool) -> None:
    assert parallel_part(Source(pairs), "sw").of_words is of_words


def test_pairs_that_can_be_read_once_are_not_read_to_tell(emoji: Path) -> None:
    part = parallel_part(Source(iter([("goat", "mbuzi")])), "sw")
    assert not part.of_words
    assert len(list(part.rows())) == 1
    assert not is_cldr(emoji / "annotations" / "sw")


def test_what_a_folder_has_not_is_told(emoji: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match=r"the names in ha would be \(it has en, sw\)"):
        open_parallel(emoji, target="ha")
    with pytest.raises(ConfigError, match="from en into en"):
        open_parallel(emoji, target="en")
    with pytest.raises(SourceNotFound, match="is a part of CLDR's names; give the folder above it"):
        open_parallel(emoji / "annotations", target="sw")
    with pytest.raises(SourceNotFound, match="is a folder: name the files in it"):
        open_parallel(tmp_path, target="sw")
    with pytest.raises(SourceNotFound, match="there is no file"):
        open_parallel("x" * 5000, target="sw")


@pytest.mark.parametrize(
    "wrong",
    [
        "{",
        "[]",
        *(
            f'{{"annotations": {{"annotations": {{"x": {of_sign}}}}}}}'
            for of_sign in ('["goat"]', '{"tts": [3]}', '{"tts": "goat"}', '{"tts": ["\\ud800"]}')
        ),
    ],
)
def test_a_file_of_another_form_is_told(wrong: str, emoji: Path) -> None:
    (emoji / "annotations" / "sw" / "annotations.json").write_text(wrong)
    with pytest.raises(MalformedText, match="JSON of CLDR: annotations, annotations"):
        open_parallel(emoji, target="sw")


def test_a_language_that_has_no_names_yet_is_as_one_that_is_not_there(tmp_path: Path) -> None:
    begun = write_emoji(tmp_path / "begun", {"en": {"🐐": ("goat", [])}, "pap": {}})
    (begun / "annotations/pap/annotations.json").write_text('{"annotations": {"identity": {"language": "pap"}}}')
    with pytest.raises(SourceNotFound, match="has no names of its language yet"):
        open_parallel(begun, target="pap")
    write_places(begun, {"en": {"DE": "Germany"}, "pap": {"DE": "Alemania"}})
    assert list(open_parallel(begun, target="pap").pairs()) == [("Germany", "Alemania")]


def test_a_file_that_is_too_large_is_not_read(emoji: Path) -> None:
    (emoji / "annotations" / "sw" / "annotations.json").write_text(" " * (4 * 2**20 + 1))
    with pytest.raises(MalformedText, match=r"at most 4,194,304"):
        open_parallel(emoji, target="sw")
