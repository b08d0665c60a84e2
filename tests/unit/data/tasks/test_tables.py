"""Tables as Python, pandas, spreadsheets and `datasets` write them: read rightly, or refused with what to do."""

import json
from pathlib import Path

import datasets
import pytest

from adaptkit.data.parallel import open_parallel
from adaptkit.errors import AdaptkitError, ConfigError, MalformedText
from adaptkit.labelled import read_labelled
from adaptkit.task_types import LabelledText, Question, TaggedSentence


def file(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def words_of(path: Path) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    examples = read_labelled(path, task_type="tagging").examples
    return [(e.words, e.tags) for e in examples if isinstance(e, TaggedSentence)]


@pytest.mark.parametrize(
    ("words", "tags"),
    [('"[\'Asha\', ""don\'t""]"', "\"['B-PER', 'O']\""), ('"[""Asha"", ""don\'t""]"', '"[""B-PER"", ""O""]"')],
    ids=["Python", "JSON"],
)
def test_words_and_tags_as_written_lists(words: str, tags: str, tmp_path: Path) -> None:
    table = file(tmp_path, "ner.csv", f"tokens,ner_tags\n{words},{tags}\n")
    assert words_of(table) == [(("Asha", "don't"), ("B-PER", "O"))]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("['Asha' 'Juma']", "NumPy"),
        ("['Asha', 'Ju", "text that is not the list"),
        ("['Asha', open('x')]", "text that is not the list"),
        ("[" * 9000, "text that is not the list"),
    ],
)
def test_written_lists_that_are_none(words: str, said: str, tmp_path: Path) -> None:
    words = words if words.startswith("['") else "['a', " + words
    table = file(tmp_path, "ner.csv", f"tokens,ner_tags\n\"{words}\",\"['O', 'O']\"\n")
    with pytest.raises(MalformedText, match=f"line 2: .*{said}"):
        read_labelled(table)


def test_words_with_spaces_may_have_brackets(tmp_path: Path) -> None:
    table = file(tmp_path, "ner.csv", "words,tags\n[ sic ] yes,O O O O\n")
    assert words_of(table) == [(("[", "sic", "]", "yes"), ("O",) * 4)]


@pytest.mark.parametrize(
    "answers",
    [
        "{'text': ['Asha'], 'answer_start': [4]}",
        "[{'text': 'Asha', 'answer_start': 4}]",
        '{"text": ["Asha"], "answer_start": [4]}',
        "['Asha']",
    ],
)
def test_answers_as_written_lists(answers: str, tmp_path: Path) -> None:
    quoted = answers.replace('"', '""')
    table = file(tmp_path, "qa.csv", f'question,context,answers\nWho?,"Sir Asha, and Asha","{quoted}"\n')
    (found,) = read_labelled(table).examples
    assert isinstance(found, Question)
    assert found.answers in [(("Asha", 4),)]


def test_a_list_without_answers_is_a_question_without_one(tmp_path: Path) -> None:
    table = file(tmp_path, "qa.csv", "question,context,answers\nWho?,Nobody came,[]\n")
    (found,) = read_labelled(table).examples
    assert isinstance(found, Question)
    assert found.answers == ()


def test_comments_of_conll_are_no_words(tmp_path: Path) -> None:
    content = "# text = Asha # 1\n# id 7\nAsha B-PER\n# O\n\n# newdoc\n-DOCSTART- O\n\n1 O\n"
    assert words_of(file(tmp_path, "a.conll", content)) == [(("Asha", "#"), ("B-PER", "O")), (("1",), ("O",))]
    tabbed = "# id 7\tdomain=en\nAsha\tB-PER\n#\tO\n"
    assert words_of(file(tmp_path, "b.conll", tabbed)) == [(("Asha", "#"), ("B-PER", "O"))]


def test_a_tsv_that_is_quoted_is_noticed(tmp_path: Path) -> None:
    path = file(tmp_path, "a.tsv", 'text\tlabel\n"She said ""no"""\tbad\n')
    data = read_labelled(path)
    assert data.notes == (
        "rows with a cell that looks quoted as in CSV, whose quotes were kept (quoted=True takes them off): 1",
    )
    read = [example for quoted in (True, False) for example in read_labelled(path, quoted=quoted).examples]
    texts = [example.text for example in read if isinstance(example, LabelledText)]
    assert texts == ['She said "no"', '"She said ""no"""']
    plain = file(tmp_path, "b.tsv", 'text\tlabel\n"Fine"\tgood\n')
    assert [e.text for e in read_labelled(plain).examples if isinstance(e, LabelledText)] == ['"Fine"']


@pytest.mark.parametrize(("suffix", "mark"), [("tsv", "\t"), ("csv", ",")])
def test_a_header_in_the_middle(suffix: str, mark: str, tmp_path: Path) -> None:
    table = file(tmp_path, f"a.{suffix}", "text,label\nRain,wet\ntext,label\nSun,dry\n".replace(",", mark))
    with pytest.raises(MalformedText, match=r"line 3: .*header"):
        read_labelled(table)
    pairs = file(tmp_path, f"p.{suffix}", "en,sw\nRain,Mvua\nen,sw\nSun,Jua\n".replace(",", mark))
    with pytest.raises(MalformedText, match=r"line 3: .*header"):
        list(open_parallel(pairs, target="sw").pairs())


def test_an_array_of_rows(tmp_path: Path) -> None:
    rows = [{"text": "Rain", "label": "wet"}, {"text": "Sun", "label": "dry"}]
    for indent in (None, 2):
        data = read_labelled(file(tmp_path, "a.json", json.dumps(rows, indent=indent)))
        assert [(e.text, e.label) for e in data.examples if isinstance(e, LabelledText)] == [
            ("Rain", "wet"),
            ("Sun", "dry"),
        ]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('[\n {"text": "a", "label": "b"}\n {"text": "c", "label": "d"}]', 3),
        ('[\n {"text": "a", "label": "b"},\n 7]', 3),
        ('[\n {"text": "a", "label": "b"}', 2),
    ],
)
def test_an_array_that_is_broken(content: str, line: int, tmp_path: Path) -> None:
    with pytest.raises(AdaptkitError, match=f"line {line}"):
        read_labelled(file(tmp_path, "a.json", content))


def test_class_names_in_parquet(tmp_path: Path) -> None:
    names = datasets.ClassLabel(names=["O", "B-PER"])
    features = datasets.Features({"tokens": datasets.List(datasets.Value("string")), "ner_tags": datasets.List(names)})
    rows = datasets.Dataset.from_dict({"tokens": [["Asha", "came"]], "ner_tags": [[1, 0]]}, features=features)
    rows.to_parquet(tmp_path / "a.parquet")
    assert words_of(tmp_path / "a.parquet") == [(("Asha", "came"), ("B-PER", "O"))]


@pytest.mark.parametrize("label", ["nan", "NaN", "<NA>"])
def test_a_label_that_stands_for_none(label: str, tmp_path: Path) -> None:
    with pytest.raises(MalformedText, match=f"line 3: .*{label}"):
        read_labelled(file(tmp_path, "a.csv", f"text,label\nRain,wet\nSun,{label}\n"))


@pytest.mark.parametrize(("first", "second"), [("Positive", "positive"), ("no  sun", "no sun"), ("\ufb01ne", "fine")])
def test_labels_that_look_alike(first: str, second: str, tmp_path: Path) -> None:
    table = file(tmp_path, "a.csv", f"text,label\nRain,{first}\nSun,{second}\n")
    with pytest.raises(ConfigError, match="differ only in case"):
        read_labelled(table)
    assert read_labelled(table, labels=(first, second)).labels == (first, second)


def test_words_in_brackets_are_words(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", "words,tags\n[1] says Bob here,O O B-PER O\n")
    (sentence,) = read_labelled(path).examples
    assert isinstance(sentence, TaggedSentence)
    assert sentence.words == ("[1]", "says", "Bob", "here")


def test_a_json_array_may_be_one_long_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptkit.data.lines.MAX_LINE_BYTES", 64)
    rows = [{"text": f"Rain {number}", "label": "wet"} for number in range(20)]
    path = file(tmp_path, "a.json", json.dumps(rows))
    assert len(read_labelled(path).examples) == 20
