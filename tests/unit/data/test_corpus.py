import gzip
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptkit import network
from adaptkit.data import lines as lines_module
from adaptkit.data.corpus import Corpus, open_corpus
from adaptkit.errors import ConfigError, EmptyCorpus, MalformedText, SourceNotFound

TEXTS = ["The goat ate my hat.", "Rain fell on “both” roofs, twice.", "Ƙwai biyu ne."]


def write_csv(path: Path) -> None:
    rows = [f'{number},"{text}"' for number, text in enumerate(TEXTS)]
    path.write_text("\n".join(["id,text", *rows]), encoding="utf-8")


def write_tsv(path: Path) -> None:
    path.write_text("\n".join(["text\tid", *(f"{text}\t7" for text in TEXTS)]), encoding="utf-8")


def write_jsonl(path: Path) -> None:
    path.write_text("\n".join(json.dumps({"id": "a", "text": text}) for text in TEXTS), encoding="utf-8")


def write_parquet(path: Path) -> None:
    pq.write_table(pa.table({"id": ["a", "b", "c"], "text": TEXTS}), path)


def write_plain(path: Path) -> None:
    path.write_text("\n".join(TEXTS), encoding="utf-8")


WRITERS: dict[str, Callable[[Path], None]] = {
    ".txt": write_plain,
    ".corpus": write_plain,
    "": write_plain,
    ".jsonl": write_jsonl,
    ".json": write_jsonl,
    ".NDJSON": write_jsonl,
    ".csv": write_csv,
    ".tsv": write_tsv,
    ".parquet": write_parquet,
}


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("packed", [False, True])
def test_every_format_gives_the_same_texts(tmp_path: Path, suffix: str, packed: bool) -> None:
    file = tmp_path / f"sample{suffix}"
    WRITERS[suffix](file)
    if packed:
        file = tmp_path / f"sample{suffix}.gz"
        file.write_bytes(gzip.compress((tmp_path / f"sample{suffix}").read_bytes()))
    assert list(open_corpus(file).lines()) == TEXTS


def test_a_string_is_a_path_and_a_file_can_be_read_twice(tmp_path: Path) -> None:
    write_plain(tmp_path / "goats.txt")
    corpus = open_corpus(str(tmp_path / "goats.txt"))
    assert list(corpus.lines()) == list(corpus.lines()) == TEXTS
    assert corpus.repeatable
    assert corpus.description == "goats.txt"


def numbers(corpus: Corpus) -> list[int]:
    return [number for number, _ in corpus.in_documents()]


def test_empty_lines_lie_between_the_documents_of_a_plain_file(tmp_path: Path) -> None:
    one, other = tmp_path / "a.txt", tmp_path / "b.txt"
    one.write_text("\none\ntwo\n\n \nthree\n", encoding="utf-8")
    other.write_text("four\nfive\n", encoding="utf-8")
    corpus = open_corpus([one, other])
    assert [text for _, text in corpus.in_documents()] == ["one", "two", "three", "four", "five"]
    first, second, third, fourth, fifth = numbers(corpus)
    assert first == second < third < fourth == fifth


def test_elsewhere_each_text_is_a_document(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl")
    table = datasets.Dataset.from_dict({"text": TEXTS})
    for source in (tmp_path / "a.jsonl", table, TEXTS, [tmp_path / "a.jsonl", tmp_path / "a.jsonl"]):
        found = numbers(open_corpus(source))
        assert found == sorted(set(found))


def test_empty_lines_are_counted_and_not_yielded() -> None:
    corpus = open_corpus(["one", "", "  \t", " two "])
    assert list(corpus.lines()) == ["one", "two"]
    assert corpus.empty_lines == 2


def test_limit_counts_texts() -> None:
    assert list(open_corpus(["", "one", "two", "three"], limit_lines=2).lines()) == ["one", "two"]


def test_limit_below_one_is_refused() -> None:
    with pytest.raises(ConfigError):
        open_corpus(["one"], limit_lines=0)


def test_byte_order_mark_and_carriage_returns_go(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")
    assert list(open_corpus(tmp_path / "a.txt").lines()) == ["one", "two"]


def test_only_line_feeds_end_lines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\u2028still one\x0bstill\x85one\ntwo", encoding="utf-8")
    assert list(open_corpus(tmp_path / "a.txt").lines()) == ["one\u2028still one\x0bstill\x85one", "two"]


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))))
def test_any_text_comes_back_from_a_file(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    file = tmp_path_factory.mktemp("any") / "a.txt"
    file.write_bytes("\n".join(["first", *texts]).encode())
    assert list(open_corpus(file).lines()) == ["first", *(text.strip() for text in texts if text.strip())]


def test_text_is_left_unnormalised() -> None:
    assert list(open_corpus(["e\u0301 a  b"]).lines()) == ["e\u0301 a  b"]


def test_a_text_in_a_row_may_hold_line_breaks(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text\n"one\nand on"\ntwo\n', encoding="utf-8")
    assert list(open_corpus(tmp_path / "a.csv").lines()) == ["one\nand on", "two"]


def test_quotes_in_tsv_are_quotes(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('text\n"No, she said.\ntwo\n', encoding="utf-8")
    assert list(open_corpus(tmp_path / "a.tsv").lines()) == ['"No, she said.', "two"]


# Sentences and lists


def test_a_generator_is_read_as_it_is_asked_for() -> None:
    source = (f"line {number}" for number in range(10))
    lines = open_corpus(source).lines()
    assert [next(lines) for _ in range(3)] == ["line 0", "line 1", "line 2"]
    assert next(source) == "line 3"


def test_an_iterator_can_be_read_once() -> None:
    corpus = open_corpus(iter(["one"]))
    assert list(corpus.lines()) == ["one"]
    assert not corpus.repeatable
    with pytest.raises(EmptyCorpus):
        corpus.lines()


def test_an_object_that_can_be_iterated_again_is_repeatable() -> None:
    class Twice:
        def __iter__(self) -> Iterator[str]:
            return iter(["one"])

    assert open_corpus(Twice()).repeatable


def test_several_files_are_read_in_order(tmp_path: Path) -> None:
    write_plain(tmp_path / "a.txt")
    write_jsonl(tmp_path / "b.jsonl")
    corpus = open_corpus([str(tmp_path / "a.txt"), str(tmp_path / "b.jsonl")])
    assert list(corpus.lines()) == TEXTS + TEXTS
    assert corpus.description == "2 files: a.txt, b.jsonl"


def test_description_names_three_files_and_counts_the_rest(tmp_path: Path) -> None:
    for name in "abcde":
        (tmp_path / name).write_text("one")
    assert open_corpus([tmp_path / name for name in "abcde"]).description == "5 files: a, b, c and 2 more"


def test_strings_that_are_no_files_are_sentences() -> None:
    corpus = open_corpus(["One.", "word", "See notes.txt", "x" * 5000])
    assert len(list(corpus.lines())) == 4
    assert corpus.description == "a list of 4 sentences"


def test_misspelt_file_names_are_no_sentences() -> None:
    with pytest.raises(SourceNotFound):
        open_corpus(["first.txt", "second.txt.gz"])


def test_a_list_of_files_and_something_else_is_refused(tmp_path: Path) -> None:
    write_plain(tmp_path / "a.txt")
    with pytest.raises(SourceNotFound, match="a sentence"):
        open_corpus([str(tmp_path / "a.txt"), "a sentence"])


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(EmptyCorpus):
        open_corpus([])


@pytest.mark.parametrize("source", [b"bytes", {"text": "one"}, 7])
def test_what_is_no_source_is_refused(source: object) -> None:
    with pytest.raises(ConfigError):
        open_corpus(source)


def test_something_else_than_text_in_an_iterable_is_named() -> None:
    with pytest.raises(MalformedText) as caught:
        list(open_corpus(iter(["one", 2])).lines())
    assert (caught.value.file, caught.value.line) == ("an iterable", 2)


def test_text_without_a_word_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n \n")
    with pytest.raises(EmptyCorpus, match="2 empty lines"):
        list(open_corpus(tmp_path / "a.txt").lines())


# Files that are not there


def test_near_names_are_suggested(tmp_path: Path) -> None:
    write_plain(tmp_path / "guarani.txt")
    with pytest.raises(SourceNotFound, match=r"Did you mean guarani\.txt\?"):
        open_corpus(str(tmp_path / "guarany.txt"))


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="folder"):
        open_corpus(tmp_path)


@pytest.mark.parametrize("text", ["no/such/file.txt", "a sentence, not in a list", "x" * 5000])
def test_a_string_that_is_nothing_is_refused(text: str) -> None:
    with pytest.raises(SourceNotFound):
        open_corpus(text)


def test_a_pipe_can_be_read_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    corpus = open_corpus(tmp_path / "pipe")
    threading.Thread(target=(tmp_path / "pipe").write_text, args=["one\n"]).start()
    assert list(corpus.lines()) == ["one"]
    assert not corpus.repeatable


# Broken files


def broken(file: Path, content: bytes, column: str | None = None) -> MalformedText:
    file.write_bytes(content)
    with pytest.raises(MalformedText) as caught:
        list(open_corpus(file, column=column).lines())
    assert caught.value.file == str(file)
    return caught.value


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.txt", b"one\ntwo\nthr\xffee\n", 3),
        ("a.txt", b"\xff\xfeo\x00n\x00", 1),
        ("a.txt.gz", b"no gzip", 1),
        ("a.jsonl", b'{"text": "one"}\n\n{"text": \n', 3),
        ("a.jsonl", b'["one", "two"]\n', 1),
        ("a.jsonl", b'{"text": "\\ud800"}\n', 1),
        ("a.jsonl", b'{"text": "one"}\n{"sentence": "two"}\n', 2),
        ("a.jsonl", b'{"text": "one"}\n{"text": 2}\n', 2),
        ("a.csv", b'text,id\none,1\n"two\n,2\nthree,3\n', 3),
        ("a.csv", b"text,id\none,1\ntwo\n", 3),
        ("a.csv", b"text,text\none,1\n", 1),
        ("a.tsv", b"text\tid\none\t1\ntwo\n", 3),
        ("a.parquet", b"no parquet", 1),
        ("a.parquet.gz", b"no gzip", 1),
    ],
)
def test_broken_files_are_named_with_their_line(tmp_path: Path, name: str, content: bytes, line: int) -> None:
    assert broken(tmp_path / name, content).line == line


def test_a_truncated_gzip_names_the_line_where_it_ends(tmp_path: Path) -> None:
    whole = gzip.compress(b"one\ntwo\n" + os.urandom(100_000).hex().encode())
    assert broken(tmp_path / "a.txt.gz", whole[:60_000]).line == 3


def test_a_damaged_gzip_is_named(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(b"one\n" * 10_000))
    whole[40:] = b"\xff" * len(whole[40:])
    assert broken(tmp_path / "a.txt.gz", bytes(whole)).line >= 1


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "MAX_LINE_BYTES", 8)
    assert broken(tmp_path / "a.txt", b"12345678\n").line == 1
    assert broken(tmp_path / "b.txt", b"1234567\n123456789").line == 2


# Columns


def test_the_only_string_field_is_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"body": "one", "id": 4}\n')
    assert list(open_corpus(tmp_path / "a.jsonl").lines()) == ["one"]


def test_null_is_an_empty_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": null, "id": "a"}\n{"text": "two", "id": "b"}\n')
    assert list(open_corpus(tmp_path / "a.jsonl").lines()) == ["two"]


@pytest.mark.parametrize("row", ['{"a": "one", "b": "two"}', '{"text": "one", "content": "two"}', '{"id": 4}', "{}"])
def test_an_unclear_column_is_refused(tmp_path: Path, row: str) -> None:
    assert broken(tmp_path / "a.jsonl", row.encode()).line == 1


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv", ".parquet"])
def test_a_column_that_is_not_there_is_refused(tmp_path: Path, suffix: str) -> None:
    WRITERS[suffix](tmp_path / f"sample{suffix}")
    message = str(broken(tmp_path / f"a{suffix}", (tmp_path / f"sample{suffix}").read_bytes(), column="body"))
    assert "'id'" in message
    assert "'text'" in message


def test_a_named_column_is_read(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet")
    assert list(open_corpus(tmp_path / "a.parquet", column="id").lines()) == ["a", "b", "c"]


def test_a_column_of_plain_text_is_refused(tmp_path: Path) -> None:
    write_plain(tmp_path / "a.txt")
    for source in (tmp_path / "a.txt", ["one"]):
        with pytest.raises(ConfigError):
            open_corpus(source, column="text")


# Data sets


def test_a_dataset_is_read() -> None:
    table = datasets.Dataset.from_dict({"text": TEXTS, "id": [1, 2, 3]})
    assert list(open_corpus(table).lines()) == TEXTS
    assert list(open_corpus(table.to_iterable_dataset(), column="text").lines()) == TEXTS


def test_a_hub_id_is_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def load(*names: str | None, split: str, streaming: bool) -> datasets.IterableDataset:
        asked.append((*names, split, streaming))
        return datasets.Dataset.from_dict({"text": TEXTS}).to_iterable_dataset()

    monkeypatch.setattr(datasets, "load_dataset", load)
    monkeypatch.setattr(network, "hub_answers", lambda: True)
    corpus = open_corpus("goats/stories:grn", limit_lines=1)
    assert list(corpus.lines()) == TEXTS[:1]
    assert asked == [("goats/stories", "grn", "train", True)]
    assert corpus.description == "goats/stories:grn"


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    monkeypatch.setattr(network, "hub_answers", lambda: True)


@pytest.mark.usefixtures("no_hub")
def test_without_a_hub_the_error_says_so() -> None:
    with pytest.raises(SourceNotFound, match="no route"):
        open_corpus("goats/stories")


def test_a_hub_that_does_not_answer_is_not_asked_for_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "hub_answers", lambda: False)
    monkeypatch.setattr(datasets, "load_dataset", None)
    with pytest.raises(SourceNotFound, match="no hub answers"):
        open_corpus("goats/stories")


@pytest.mark.usefixtures("no_hub")
def test_a_misspelt_path_is_no_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "texts").mkdir()
    monkeypatch.chdir(tmp_path)
    for source in ("texts/goats", "nowhere/goats.txt", Path("goats/stories")):
        with pytest.raises(SourceNotFound, match="there is no file"):
            open_corpus(source)
