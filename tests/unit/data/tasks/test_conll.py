from pathlib import Path

import pytest

from adaptkit.errors import ConfigError, MalformedText
from adaptkit.labelled import read_labelled
from adaptkit.task_types import TaggedSentence


def read(folder: Path, content: str, name: str = "a.conll") -> list[list[tuple[str, str]]]:
    """Sentences of words with their tags."""
    file = folder / name
    file.write_text(content, encoding="utf-8")
    examples = read_labelled(file, task_type="tagging").examples
    return [list(zip(e.words, e.tags, strict=True)) for e in examples if isinstance(e, TaggedSentence)]


COMMENTS = {
    "keyed, tabs": "# sent_id = 3\n# text = Juma yupo\nJuma\tB-PER\nyupo\tO\n",
    "keyed, spaces": "# sent_id = 3\n# text = Juma yupo\nJuma B-PER\nyupo O\n",
    "as many cells as a word": "# sent_id = 3\nJuma N x B-PER\nyupo V x O\n\n# a = b\n",
    "with a tab": "# id 3ff0\tdomain=en\nJuma _ _ B-PER\nyupo _ _ O\n",
    "with a tab, as many cells as a word": "# id 3ff0\tdomain=en\nJuma\tB-PER\nyupo\tO\n",
    "documents": "# newdoc\n# newpar id = 3\nJuma B-PER\nyupo O\n",
    "a document of OntoNotes": "#begin document (a/b); part 000\nJuma B-PER\nyupo O\n\n#end document\n",
    "a source": "#\thttp://example.org\nJuma\tx\tB-PER\nyupo\tx\tO\n",
    "before another and inside": "#\n\n# about\nJuma\tB-PER\n# about this word\nyupo\tO\n# end\n",
    "behind the start of a document": "-DOCSTART- -X- O O\n# about\n\nJuma N x B-PER\nyupo V x O\n",
}


@pytest.mark.parametrize("content", COMMENTS.values(), ids=COMMENTS.keys())
@pytest.mark.parametrize("name", ["a.conll", "a.txt", "a.tsv"])
def test_comments_are_no_words(tmp_path: Path, content: str, name: str) -> None:
    assert read(tmp_path, content, name) == [[("Juma", "B-PER"), ("yupo", "O")]]


@pytest.mark.parametrize(
    "content",
    ["#\tO\nJuma\tB-PER\n", "# O\nJuma B-PER\n", "#\tO\n", "# O\n", "#one\tO\n#\tO\nJuma\tB-PER\n", "a O\n# O\n#b O\n"],
)
def test_a_hash_with_its_tag_is_a_word(tmp_path: Path, content: str) -> None:
    expected = [tuple(line.replace("\t", " ").split(" ")) for line in content.splitlines()]
    assert read(tmp_path, content) == [expected]


@pytest.mark.parametrize(
    ("content", "line"),
    [("# id 1\nJuma\n", 2), ("# id 1\nJuma O\n# id of the word\n", 3), ("a O\n\n# c\nb x O\n", 4)],
)
def test_lines_are_counted_with_the_comments(tmp_path: Path, content: str, line: int) -> None:
    with pytest.raises(MalformedText) as caught:
        read(tmp_path, content)
    assert caught.value.line == line


def test_numbers_in_place_of_words_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedText, match=r"line 2.*1, 2, 3.*take out the cell"):
        read(tmp_path, "# id 1\n1\tJuma\tB-PER\n2\tyupo\tO\n3\thapa\tO\n")
    assert read(tmp_path, "1\tO\n2\tO\n3\tO\n") == [[("1", "O"), ("2", "O"), ("3", "O")]]


# CoNLL-U


def word(number: str, form: str, upos: str) -> str:
    return "\t".join([number, form, form.lower(), upos, "_", "_", "0", "root", "_", "SpaceAfter=No"]) + "\n"


CONLLU = (
    "# newdoc id = a\n# text = Tuliwaona wao leo\n"
    + word("1-2", "Tuliwaona", "_")
    + word("1", "Tu", "PRON")
    + word("2", "liwaona", "VERB")
    + word("2.1", "nje", "ADV")
    + word("3", "#", "SYM")
    + "\n# sent_id = 2\n"
    + word("1", "New York", "PROPN")
    + "\n"
)


@pytest.mark.parametrize("name", ["a.conllu", "a.conll", "a.txt"])
def test_conllu(tmp_path: Path, name: str) -> None:
    expected = [[("Tu", "PRON"), ("liwaona", "VERB"), ("#", "SYM")], [("New York", "PROPN")]]
    assert read(tmp_path, CONLLU, name) == expected
    data = read_labelled(tmp_path / name, task_type="tagging")
    assert data.labels == ("PRON", "PROPN", "SYM", "VERB")
    (note,) = data.notes
    assert note.startswith("tags: upos (the part of speech of each word), kept as they are")


def test_conllu_is_known_by_its_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.conllu").write_text(CONLLU)
    assert read_labelled(tmp_path / "a.conllu").task_type == "pos"


def test_conllu_without_some_or_all_tags(tmp_path: Path) -> None:
    (tmp_path / "a.conllu").write_text(word("1", "Juma", "_") + "\n" + CONLLU)
    data = read_labelled(tmp_path / "a.conllu")
    assert (len(data.examples), data.dropped) == (2, {"without any tag": 1})
    (tmp_path / "b.conllu").write_text(word("1", "Juma", "_") + word("2", "yupo", "VERB") + "\n" + CONLLU)
    some = read_labelled(tmp_path / "b.conllu")
    assert isinstance(some.examples[0], TaggedSentence)
    assert (some.examples[0].tags, some.dropped, "_" in some.labels) == (("_", "VERB"), {}, False)
    assert some.notes[-1].endswith("words have no tag (_); nothing is learned from them")
    with pytest.raises(MalformedText, match=r"line 2: .*UPOS.*write other tags"):
        read(tmp_path, "# id 1\n" + word("1", "Juma", "_") + word("2", "yupo", "_"), "a.conllu")


@pytest.mark.parametrize("line", ["Juma\tO\n", word("one", "Juma", "NOUN"), word("1", "", "NOUN"), "1 Juma NOUN\n"])
def test_broken_conllu_names_file_and_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(MalformedText, match="CoNLL-U") as caught:
        read(tmp_path, CONLLU + line, "a.conllu")
    assert caught.value.line == 12


def test_words_without_a_tag_are_no_label_and_not_for_entities(tmp_path: Path) -> None:
    (tmp_path / "a.conllu").write_text(word("1", "Juma", "_") + word("2", "yupo", "VERB") + "\n" + CONLLU)
    for asked in (None, "pos"):
        data = read_labelled(tmp_path / "a.conllu", task_type=asked)
        assert (data.task_type, "_" in data.labels) == ("pos", False)
        assert data.notes[-1].endswith("words have no tag (_); nothing is learned from them")
    with pytest.raises(ConfigError, match=r"tag _, which says .* give task_type='pos'"):
        read_labelled(tmp_path / "a.conllu", task_type="tagging")
    examples = [TaggedSentence(words=("Juma", "yupo"), tags=("_", "VERB"))]
    for labels in (("NOUN", "VERB"), ("NOUN", "VERB", "_")):
        assert read_labelled(examples, labels=labels).labels == ("NOUN", "VERB")
        assert read_labelled(tmp_path / "a.conllu", labels=(*data.labels, "_"), task_type="pos").labels == data.labels
    numbered = read_labelled(
        [{"tokens": ["Juma"], "upos": ["_"]}, {"tokens": ["yupo"], "upos": ["VERB"]}], task_type="pos"
    )
    assert (len(numbered.examples), numbered.dropped) == (1, {"without any tag": 1})
