import gzip
import json
from pathlib import Path

import datasets
import pytest

from adaptkit.data import translations
from adaptkit.data.parallel import ParallelSource, open_parallel
from adaptkit.errors import ConfigError, EmptyCorpus, MalformedText, SourceNotFound, UnknownLanguage

PAIRS = [("The goat sleeps.", "Akuya tana barci."), ("Two eggs.", "Ƙwai biyu.")]
SOURCES, TARGETS = zip(*PAIRS, strict=True)


def write(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def as_json(*names: str) -> list[str]:
    return [json.dumps(dict(zip(names, pair, strict=True))) for pair in PAIRS]


FORMATS: dict[str, list[str]] = {
    "nested.jsonl": [json.dumps({"translation": {"en": en, "hau": ha}, "id": "x"}) for en, ha in PAIRS],
    "flat.jsonl": as_json("eng_Latn", "Hausa"),
    "other_order.json": [json.dumps({"ha": ha, "en": en, "score": 0.5}) for en, ha in PAIRS],
    "header.tsv": ["hau\ten\tnote", *(f"{ha}\t{en}\tfine" for en, ha in PAIRS)],
    "table.csv": ["en,ha", *(",".join(pair) for pair in PAIRS)],
    "header.txt": ["en\tha", *("\t".join(pair) for pair in PAIRS)],
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("packed", [False, True])
def test_every_format_gives_the_same_pairs(tmp_path: Path, name: str, packed: bool) -> None:
    file = write(tmp_path / name, *FORMATS[name])
    if packed:
        packed_file = tmp_path / f"{name}.gz"
        packed_file.write_bytes(gzip.compress(file.read_bytes()))
        file = packed_file
    corpus = open_parallel(file, target="ha")
    assert list(corpus.pairs()) == list(corpus.pairs()) == PAIRS
    assert (corpus.source_language, corpus.repeatable, corpus.description) == ("en", True, file.name)


def test_two_columns_without_header_are_source_and_target(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tsv", *("\t".join(pair) for pair in PAIRS))
    corpus = open_parallel(str(file), target="ha")
    assert list(corpus.pairs()) == PAIRS
    assert corpus.source_language is None


def test_two_files_side_by_side(tmp_path: Path) -> None:
    pair = write(tmp_path / "en.txt", *SOURCES), write(tmp_path / "ha.txt", *TARGETS)
    corpus = open_parallel(pair, target="hau_Latn", source_language="English")
    assert list(corpus.pairs()) == PAIRS
    assert corpus.source_language == "en"
    assert corpus.description == "2 files: en.txt, ha.txt"


def test_a_list_is_several_files(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, *FORMATS[name]) for name in ("flat.jsonl", "header.tsv"))
    assert list(open_parallel([first, second], target="ha").pairs()) == PAIRS + PAIRS


def test_a_list_of_file_pairs(tmp_path: Path) -> None:
    pair = str(write(tmp_path / "en.txt", *SOURCES)), str(write(tmp_path / "ha.txt", *TARGETS))
    assert list(open_parallel([pair, pair], target="ha").pairs()) == PAIRS + PAIRS


def test_an_iterable_is_read_once_and_as_it_is_asked_for() -> None:
    source = iter(PAIRS)
    corpus = open_parallel(source, target="ha")
    assert next(corpus.pairs()) == PAIRS[0]
    assert next(source) == PAIRS[1]
    with pytest.raises(EmptyCorpus):
        corpus.pairs()


def test_a_list_of_pairs_can_be_read_again() -> None:
    corpus = open_parallel(PAIRS, target="ha", source_language="en")
    assert list(corpus.pairs()) == list(corpus.pairs()) == PAIRS
    assert corpus.description == "a list of 2 pairs"


def test_a_dataset_is_read() -> None:
    rows = [{"translation": {"en": en, "ha": ha}} for en, ha in PAIRS]
    corpus = open_parallel(datasets.Dataset.from_list(rows), target="ha")
    assert list(corpus.pairs()) == PAIRS
    assert corpus.source_language == "en"


def test_a_language_among_several_is_chosen(tmp_path: Path) -> None:
    rows = [json.dumps({"en": "egg", "fr": "œuf", "ha": "ƙwai"})]
    corpus = open_parallel(write(tmp_path / "a.jsonl", *rows), target="ha", source_language="fra")
    assert list(corpus.pairs()) == [("œuf", "ƙwai")]


@pytest.mark.parametrize(
    ("preferred", "others", "taken"), [("fr", ("en",), "fr"), ("en", (), "fr"), ("en", ("en",), "en")]
)
def test_of_several_languages_the_preferred_one_is_taken_where_it_is_there(
    tmp_path: Path, preferred: str, others: tuple[str, ...], taken: str
) -> None:
    words = {"en": "egg", "fr": "œuf"}
    row = {tag: words[tag] for tag in ("fr", *others)}
    corpus = open_parallel(
        write(tmp_path / "a.jsonl", json.dumps({**row, "ha": "ƙwai"})), target="ha", preferred=preferred
    )
    assert list(corpus.pairs()) == [(words[taken], "ƙwai")]
    assert corpus.source_language == taken


def test_of_several_languages_none_is_taken_where_the_preferred_one_is_not_among_them(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", json.dumps({"en": "egg", "fr": "œuf", "ha": "ƙwai"}))
    with pytest.raises(MalformedText, match="choose among several"):
        open_parallel(file, target="ha")
    with pytest.raises(MalformedText, match=r"expected pt, or one more .* for this source alone: source_lang=en\)"):
        open_parallel(file, target="ha", preferred="pt")


def test_half_empty_pairs_are_counted_and_not_yielded() -> None:
    corpus = open_parallel([("", "ƙwai"), (" egg ", " ƙwai ")], target="ha")
    assert list(corpus.pairs()) == [("egg", "ƙwai")]
    assert corpus.empty_pairs == 1


def test_rows_of_other_fields_and_regions_are_each_read_by_their_own(tmp_path: Path) -> None:
    rows = ['{"en-US": "Egg.", "ha": "Ƙwai."}', '{"ha-NG": "Akuya.", "id": 3, "en-US": "Goat."}']
    file = write(tmp_path / "a.jsonl", *rows)
    for named in (None, "en"):
        corpus = open_parallel(file, target="ha", source_language=named)
        assert list(corpus.pairs()) == [("Egg.", "Ƙwai."), ("Goat.", "Akuya.")]
        assert corpus.source_language == (named or "en-US")


def test_the_languages_of_rows_with_the_same_fields_are_looked_up_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    known = translations._REGION

    class Counting:
        def fullmatch(self, text: str) -> object:
            asked.append(text)
            return known.fullmatch(text)

    translations.field_of.cache_clear()
    monkeypatch.setattr(translations, "_REGION", Counting())
    file = write(tmp_path / "a.jsonl", *(['{"en-US": "Egg.", "ha-NG": "Ƙwai."}'] * 50))
    assert len(list(open_parallel(file, target="ha", source_language="en").pairs())) == 50
    assert asked == ["NG", "US"]


def broken(source: ParallelSource, source_language: str | None = None) -> MalformedText:
    with pytest.raises(MalformedText) as caught:
        list(open_parallel(source, target="ha", source_language=source_language).pairs())
    return caught.value


@pytest.mark.parametrize(
    ("name", "lines", "line"),
    [
        ("no_target.jsonl", ['{"en": "egg", "fr": "œuf"}'], 1),
        ("no_source.jsonl", ['{"ha": "ƙwai", "id": 4}'], 1),
        ("later.jsonl", ['{"en": "egg", "ha": "ƙwai"}', '{"en": "egg"}'], 2),
        ("other.jsonl", ['{"en": "egg", "ha": "ƙwai"}', '{"fr": "œuf", "ha": "ƙwai"}'], 2),
        ("three.jsonl", ['{"en": "egg", "fr": "œuf", "ha": "ƙwai"}'], 1),
        ("header.tsv", ["en\tsw", "egg\tyai"], 2),
        ("columns.tsv", ["egg\tƙwai", "egg"], 2),
        ("columns.tsv", ["egg\tƙwai\tœuf"], 1),
        ("cells.tsv", ["en\tha", "egg\tƙwai\tœuf"], 2),
        ("plain.txt", ["egg"], 1),
        ("text.jsonl", ['{"translation": {"en": "egg", "ha": ["ƙwai"]}}'], 1),
    ],
)
def test_broken_files_are_named_with_their_line(tmp_path: Path, name: str, lines: list[str], line: int) -> None:
    file = write(tmp_path / name, *lines)
    error = broken(file)
    assert (error.file, error.line) == (str(file), line)


def test_a_missing_target_names_the_fields_found(tmp_path: Path) -> None:
    assert "'en', 'fr'" in str(broken(write(tmp_path / "a.jsonl", '{"en": "egg", "fr": "œuf"}')))


def test_a_source_language_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert broken(write(tmp_path / "a.jsonl", *as_json("en", "ha")), source_language="fr").line == 1


@pytest.mark.parametrize("short", [0, 1])
def test_files_of_different_length_name_the_shorter(tmp_path: Path, short: int) -> None:
    files = [write(tmp_path / "en.txt", *SOURCES), write(tmp_path / "ha.txt", *TARGETS)]
    write(files[short], "one line only")
    error = broken((files[0], files[1]))
    assert (error.file, error.line) == (str(files[short]), 2)


def test_something_else_than_pairs_is_named() -> None:
    assert broken(iter([("egg", "ƙwai"), ("egg",)])).line == 2


def test_a_pair_of_row_files_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", *as_json("en", "ha"))
    with pytest.raises(ConfigError, match="in a list"):
        open_parallel((file, file), target="ha")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "en.txt")
    for source in (tmp_path / "eng.txt", (tmp_path / "en.txt", tmp_path / "ha.txt"), [tmp_path / "a.jsonl"]):
        with pytest.raises(SourceNotFound):
            open_parallel(source, target="ha")


def test_no_pair_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmptyCorpus):
        list(open_parallel(write(tmp_path / "a.jsonl"), target="ha").pairs())


@pytest.mark.parametrize(("languages", "error"), [(("ha", "hau"), ConfigError), (("no such", "en"), UnknownLanguage)])
def test_wrong_languages_are_refused(languages: tuple[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        open_parallel(PAIRS, target=languages[0], source_language=languages[1])


@pytest.mark.parametrize("source", [7, b"bytes", {"en": "egg"}])
def test_what_is_no_source_is_refused(source: object) -> None:
    with pytest.raises(ConfigError):
        open_parallel(source, target="ha")
