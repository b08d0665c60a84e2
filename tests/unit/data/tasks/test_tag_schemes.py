import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from adaptkit.data.tasks import TaskData
from adaptkit.data.tasks.tag_schemes import has_entities
from adaptkit.errors import ConfigError, MalformedText
from adaptkit.labelled import read_labelled, read_task
from adaptkit.task_types import TaggedSentence

Tags = str
"""Tags of one sentence, with spaces between."""

IN_BIO = "B-PER I-PER I-PER O B-LOC B-LOC I-LOC"


def sentence(tags: Tags) -> TaggedSentence:
    return TaggedSentence(words=tuple(f"w{index}" for index, _ in enumerate(tags.split())), tags=tuple(tags.split()))


def conll(folder: Path, *sentences: Tags) -> Path:
    file = folder / "a.conll"
    file.write_text("\n".join("".join(f"w{i}\t{tag}\n" for i, tag in enumerate(tags.split())) for tags in sentences))
    return file


def tags_of(data: TaskData) -> list[Tags]:
    return [" ".join(example.tags) for example in data.examples if isinstance(example, TaggedSentence)]


SCHEMES: list[tuple[Sequence[Tags], Sequence[Tags], Sequence[str]]] = [
    ([IN_BIO, "O"], [IN_BIO, "O"], []),
    (["O", "O O"], ["O", "O O"], []),
    (["I-PER I-PER O I-LOC B-LOC I-LOC"], ["B-PER I-PER O B-LOC B-LOC I-LOC"], ["tags: IOB1, converted to BIO"]),
    (["I-PER I-LOC", "B-PER"], ["B-PER B-LOC", "B-PER"], ["tags: BIO; 2 I- tags that continue no entity were made B-"]),
    (["B-PER I-PER E-PER O S-LOC B-LOC E-LOC"], [IN_BIO], ["tags: IOBES, converted to BIO"]),
    (["B-PER M-PER E-PER O S-LOC B-LOC E-LOC"], [IN_BIO], ["tags: BMES, converted to BIO"]),
    (["B-PER I-PER L-PER O U-LOC B-LOC L-LOC"], [IN_BIO], ["tags: BILOU, converted to BIO"]),
    # Entities that were never closed or never begun, as a model or a hand writes them.
    (["S-PER I-PER", "E-PER E-PER", "B-PER E-LOC"], ["B-PER B-PER", "B-PER B-PER", "B-PER B-LOC"], ["IOBES"]),
    (
        ["PER PER O LOC DATE", "PER"],
        ["B-PER I-PER O B-LOC B-DATE", "B-PER"],
        ["tags: IO, converted to BIO; neighbouring"],
    ),
    (["B I O B B", "O"], ["B-ENTITY I-ENTITY O B-ENTITY B-ENTITY", "O"], ["marks without types", "ENTITY"]),
    (["NOUN VERB", "PRON"], ["NOUN VERB", "PRON"], ["kept as they are"]),
    (["S-NOUN VERB"], ["S-NOUN VERB"], ["kept as they are"]),
]


@pytest.mark.parametrize(("given", "expected", "notes"), SCHEMES)
def test_schemes_become_bio(
    tmp_path: Path, given: Sequence[Tags], expected: Sequence[Tags], notes: Sequence[str]
) -> None:
    rows = [{"words": sentence(tags).words, "tags": sentence(tags).tags} for tags in given]
    written = tmp_path / "a.jsonl"
    written.write_text("\n".join(map(json.dumps, rows)))
    for source in (conll(tmp_path, *given), written, rows, [sentence(tags) for tags in given]):
        data = read_labelled(source)
        assert tags_of(data) == list(expected)
        assert set(data.labels) == {tag for tags in expected for tag in tags.split()}
        assert len(data.notes) == bool(notes)
        assert all(note in data.notes[0] for note in notes)


MIXED: list[tuple[Sequence[Tags], int, str]] = [
    (["B-PER E-PER", "O U-LOC"], 5, "'U-LOC' for the word 'w1' where another is tagged 'E-PER'"),
    (["U-LOC", "O O S-LOC"], 5, "'S-LOC' for the word 'w2' where another is tagged 'U-LOC'"),
    (["O B-PER", "O O LOC"], 6, "'LOC' for the word 'w2' where another is tagged 'B-PER'"),
    (["O LOC", "I-LOC"], 4, "'I-LOC' for the word 'w0' where another is tagged 'LOC'"),
    (["O O", "O B_PER I_PER"], 5, "'B_PER' for the word 'w1'; expected the mark in front"),
    (["O PER-B PER-I"], 2, "'PER-B'"),
    (["o b-per i-per"], 2, "'b-per'"),
]


@pytest.mark.parametrize(("given", "line", "message"), MIXED)
def test_several_schemes_and_unknown_marks_are_refused(
    tmp_path: Path, given: Sequence[Tags], line: int, message: str
) -> None:
    file = conll(tmp_path, *given)
    with pytest.raises(MalformedText, match="expected") as caught:
        read_labelled(file)
    assert (caught.value.file, caught.value.line) == (str(file), line)
    assert message in str(caught.value)
    number = len(given)
    with pytest.raises(MalformedText, match=f"a list of rows, line {number}: "):
        read_labelled([{"words": sentence(tags).words, "tags": sentence(tags).tags} for tags in given])
    with pytest.raises(ConfigError, match=f"row {number} of the examples: ") as refused:
        read_labelled([sentence(tags) for tags in given])
    assert message in str(refused.value)


def test_one_reading_has_one_scheme(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.conll", "b.conll")]
    files[0].write_text("# id 1\nAmina\tS-PER\n")
    files[1].write_text("# id 1\n\n# id 2\nLeo\tU-PER\n")
    with pytest.raises(MalformedText, match="'U-PER'") as caught:
        read_labelled(files)
    assert (caught.value.file, caught.value.line) == (str(files[1]), 4)
    assert tags_of(read_labelled(files, limit=1)) == ["B-PER"]


def test_labels_that_are_named_are_converted_too(tmp_path: Path) -> None:
    file = conll(tmp_path, "S-PER O")
    data = read_labelled(file, labels=["O", "S-PER", "B-LOC", "I-LOC", "E-LOC"])
    assert data.labels == ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    with pytest.raises(MalformedText, match="'S-PER'"):
        read_labelled(file, labels=["O", "U-PER"])


def test_benchmarks_keep_their_tags(tmp_path: Path) -> None:
    file = tmp_path / "swa/test.txt"
    file.parent.mkdir()
    file.write_text("Amina O\nLeo I-PER\n")
    data = read_task("masakhaner2", data=tmp_path, language="sw")
    assert (tags_of(data), data.notes) == (["O I-PER"], ())
    file.write_text("Amina O\nLeo S-PER\n")
    with pytest.raises(MalformedText, match="'S-PER'"):
        read_task("masakhaner2", data=tmp_path, language="sw")


def test_what_are_entities() -> None:
    assert has_entities(["O"])
    assert has_entities(["B-PER"])
    assert not has_entities(["NOUN", "VERB"])
