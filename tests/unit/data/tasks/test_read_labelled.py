import json
from pathlib import Path

import datasets
import pytest

from adaptkit.data.tasks import NLI_LABELS, TaskData, canonical_nli_label
from adaptkit.errors import ConfigError, EmptyCorpus, MalformedText, SourceNotFound
from adaptkit.labelled import read_labelled
from adaptkit.task_types import LabelledText, MultipleChoice, Question, SimilarPair, TaggedSentence


def write(file: Path, text: str) -> Path:
    file.write_bytes(text.encode())
    return file


@pytest.mark.parametrize(
    ("spelling", "label"),
    [("E", "entailment"), (" NEUTRAL ", "neutral"), ("contradictory", "contradiction"), ("1", None), ("yes", None)],
)
def test_spellings_of_nli(spelling: str, label: str | None) -> None:
    assert canonical_nli_label(spelling) == label


def test_numbers_are_nli_only_where_asked_for() -> None:
    assert tuple(canonical_nli_label(number, numbers=True) for number in "012") == NLI_LABELS
    assert canonical_nli_label("3", numbers=True) is None


JSON_ROW = {"premise": "p", "choice1": "a", "choice2": "b", "label": 1}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.tsv", "tweet\tCategory\nhi\tgood\n", LabelledText(text="hi", label="good")),
        (
            "a.csv",
            'text,class,lang,domain\n"a, b",3,swa,news\n',
            LabelledText(text="a, b", label="3", language="sw", group="news"),
        ),
        (
            "a.txt",
            "prem\thyp\tannotated_label\tlabel\r\na\tb\t-\tE\r\n",
            LabelledText(text="a", pair="b", label="entailment"),
        ),
        (
            "a.tsv",
            "sentence_A\tsentence_B\trelatedness_score\tentailment_label\nx\ty\t4.5\tNEUTRAL\n",
            LabelledText(text="x", pair="y", label="neutral"),
        ),
        (
            "a.jsonl",
            '{"words": ["a", "b"], "tags": ["O", "B-X"]}\n',
            TaggedSentence(words=("a", "b"), tags=("O", "B-X")),
        ),
        (
            "a.json",
            '{"tokens": ["a"], "ner_tags": ["O"]}\n{"tokens": ["b"], "ner_tags": ["O"]}',
            TaggedSentence(words=("a",), tags=("O",)),
        ),
        ("a.bio", "a\tB-X\n", TaggedSentence(words=("a",), tags=("B-X",))),
        ("a.jsonl", json.dumps(JSON_ROW), MultipleChoice(prompt="p", choices=("a", "b"), answer=1)),
        ("a.csv", "sentence1,sentence2,score\na,b,0.5\n", SimilarPair(first="a", second="b", score=0.5)),
        (
            "a.csv",
            'question,review,human_ans_spans,human_ans_indices\nq,Eggs and eggs ANSWERNOTFOUND,eggs,"(9, 13)"\n',
            Question(id="2", question="q", context="Eggs and eggs", answers=(("eggs", 9),)),
        ),
        (
            "a.csv",
            "id,question,context,answers\n7,q,c ANSWERNOTFOUND,ANSWERNOTFOUND\n",
            Question(id="7", question="q", context="c", answers=()),
        ),
        (
            "a.json",
            json.dumps(
                {
                    "data": [
                        {
                            "paragraphs": [
                                {
                                    "context": "c",
                                    "qas": [
                                        {
                                            "id": "i",
                                            "question": "q",
                                            "answers": [{"text": "c", "answer_start": 0}],
                                            "is_impossible": True,
                                        }
                                    ],
                                }
                            ]
                        }
                    ]
                }
            ),
            Question(id="i", question="q", context="c", answers=()),
        ),
    ],
)
def test_formats_and_columns_are_recognised(tmp_path: Path, name: str, content: str, expected: object) -> None:
    assert read_labelled(write(tmp_path / name, content)).examples[0] == expected


@pytest.mark.parametrize("name", ["a.txt", "a.tsv"])
def test_conll_where_the_caller_says_so(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / name, "a\tO\nb\tI-Y\n\nc\tB-X\n")
    data = read_labelled(file, task_type="tagging")
    assert (len(data.examples), data.labels) == (2, ("O", "B-X", "B-Y"))


def test_tagging_in_a_table_with_a_header(tmp_path: Path) -> None:
    data = read_labelled(write(tmp_path / "a.tsv", "tokens\ttags\na b\tO O\n"), task_type="tagging")
    assert data.examples == [TaggedSentence(words=("a", "b"), tags=("O", "O"))]


def test_numbers_become_nli_words_only_where_asked_for(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "sentence1,sentence2,label\na,b,2\nc,d,0\n")
    assert read_labelled(file).labels == ("0", "2")
    data = read_labelled(file, nli=True)
    assert data.labels == NLI_LABELS
    assert isinstance(data.examples[0], LabelledText)
    assert data.examples[0].label == "contradiction"


def test_labels_of_another_pair_task_stay(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "sentence1,sentence2,label\na,b,entailment\nc,d,not_entailment\n")
    assert read_labelled(file).labels == ("entailment", "not_entailment")
    short = write(tmp_path / "b.csv", "sentence1,sentence2,label\na,b,E\n")
    assert read_labelled(short, nli=False).labels == ("E",)
    assert read_labelled(short, labels=["F", "E"]).labels == ("F", "E")


def test_columns_may_be_named(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "label,body,stars,where\nx,hi,5,moon\n")
    data = read_labelled(file, text="body", label="stars", columns={"group": "where"}, language="Swahili")
    assert data.examples == [LabelledText(text="hi", label="5", language="sw", group="moon")]


def test_scores_are_brought_to_one(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "sentence1,sentence2,score\na,b,4\n")
    data = read_labelled(file, score_range=(0, 5))
    assert data.examples == [SimilarPair(first="a", second="b", score=0.8)]
    with pytest.raises(MalformedText, match="score_range"):
        read_labelled(file)
    with pytest.raises(ConfigError):
        read_labelled(file, score_range=(1, 1))


def test_unlabelled_rows_are_counted(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "text,label\na,-\nb,good\nc,\n")
    data = read_labelled(file)
    assert (len(data.examples), data.dropped) == (1, {"without a label": 2})
    assert data.description == "a.csv"


def test_several_files_and_a_limit(tmp_path: Path) -> None:
    first, empty = write(tmp_path / "a.csv", "text,label\na,x\nb,y\n"), write(tmp_path / "b.csv", "text,label\n")
    last = write(tmp_path / "c.jsonl", '{"sentence": "c", "category": "z"}\n')
    data = read_labelled([first, empty, last])
    assert (data.labels, data.description) == (("x", "y", "z"), "3 files: a.csv, b.csv, c.jsonl")
    assert len(read_labelled([str(first), str(last)], limit=1).labels) == 1


def test_quoted_tsv(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tsv", 'text\tlabel\n"a ""b""\nc"\tx\n')
    assert read_labelled(file, quoted=True).examples == [LabelledText(text='a "b"\nc', label="x")]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.txt", "no header and no tab\n", 1),
        ("a.tsv", "1\ta review\n0\tanother\n", 2),
        ("a.tsv", "text\tlabel\na\tb\tc\n", 2),
        ("a.tsv", "text\tlabel\n\tx\n", 2),
        ("a.json", '{"data": [\n', 2),
        ("a.jsonl", '{"text": "a", "label": "x"}\n{"text": "a"}\n', 2),
        ("a.jsonl", '{"text": "a", "label": "x"}\n{"label": "a"}\n', 2),
        ("a.jsonl", '{"text": "a", "label": 0.5}\n', 1),
        ("a.jsonl", '{"text": "a", "label": "x", "lang": "Klingonn"}\n', 1),
        ("a.jsonl", '{"words": ["a", "b"], "tags": ["O"]}\n', 1),
        ("a.jsonl", '{"words": [], "tags": []}\n', 1),
        ("a.jsonl", '{"words": 3, "tags": ["O"]}\n', 1),
        ("a.conll", "a O\nb\n", 2),
        ("a.conll", "a\n", 1),
        ("a.csv", "sentence1,sentence2,score\na,b,high\n", 2),
        ("a.csv", 'text,label\n"a\n,x\n', 2),
    ],
)
def test_broken_files_are_named_with_their_line(tmp_path: Path, name: str, content: str, line: int) -> None:
    file = write(tmp_path / name, content)
    with pytest.raises(MalformedText) as caught:
        read_labelled(file)
    assert (caught.value.file, caught.value.line) == (str(file), line)


@pytest.mark.parametrize("name", ["a.tsv", "a.json", "a.json.gz", "a.conll"])
def test_other_encodings_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes("text\tlabel\ncaf\xe9\tx\n".encode("latin-1"))
    with pytest.raises(MalformedText, match=r"UTF-8|gzip"):
        read_labelled(tmp_path / name)


def test_a_label_that_may_not_occur_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "text,label\na,x\nb,y\n")
    with pytest.raises(MalformedText, match="line 3"):
        read_labelled(file, labels=["x"])
    with pytest.raises(MalformedText, match="line 2"):
        read_labelled(file, nli=True)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "text,label\na,x\n")
    with pytest.raises(MalformedText, match=r"hypothesis|context"):
        read_labelled(file, task_type="qa")
    with pytest.raises(MalformedText, match="'body'"):
        read_labelled(file, text="body")
    with pytest.raises(ConfigError, match=r"columns for colour.*the roles there are words, .*group, .*text"):
        read_labelled(file, columns={"colour": "text"})


def test_wrong_arguments(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "text,label\na,x\n")
    with pytest.raises(ConfigError):
        read_labelled(file, limit=0)
    with pytest.raises(ConfigError):
        read_labelled(file, task_type="nli")
    with pytest.raises(ConfigError):
        read_labelled(7)
    with pytest.raises(SourceNotFound):
        read_labelled(tmp_path / "b.csv")
    with pytest.raises(EmptyCorpus):
        read_labelled(write(tmp_path / "c.csv", "text,label\n"))


# Examples and data sets

PAIR = LabelledText(text="a", pair="b", label="N")
EXAMPLES: list[tuple[str, object]] = [
    ("classification", PAIR),
    ("tagging", TaggedSentence(words=("a",), tags=("O",))),
    ("qa", Question(id="1", question="q", context="c", answers=())),
    ("choice", MultipleChoice(prompt="p", choices=("a", "b"), answer=0)),
    ("similarity", SimilarPair(first="a", second="b", score=0.5)),
]


@pytest.mark.parametrize(("task_type", "example"), EXAMPLES)
def test_examples_are_taken(task_type: str, example: LabelledText) -> None:
    data: TaskData = read_labelled([example, example], language="sw", limit=1)
    assert (data.task_type, len(data.examples), data.examples[0].language) == (task_type, 1, "sw")
    assert data.description == "a list of 2 examples"


def test_examples_of_pairs_get_nli_words() -> None:
    assert read_labelled([PAIR]).labels == NLI_LABELS
    with pytest.raises(ConfigError, match="N"):
        read_labelled([PAIR], labels=["x"])


def test_examples_of_several_types_are_refused() -> None:
    with pytest.raises(ConfigError, match="several"):
        read_labelled([PAIR, SimilarPair(first="a", second="b", score=0.5)])
    with pytest.raises(ConfigError, match="several"):
        read_labelled([PAIR], task_type="qa")
    with pytest.raises(EmptyCorpus):
        read_labelled([])


def test_a_data_set_with_named_classes() -> None:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["bad", "good"])}
    )
    rows = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, 0, -1]}, features=features)
    data = read_labelled(rows)
    assert (data.labels, data.dropped, data.description) == (("bad", "good"), {"without a label": 1}, "a data set")
    assert read_labelled(rows.to_iterable_dataset()).labels == ("bad", "good")
