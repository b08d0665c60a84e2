import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import datasets
import pytest

from adaptkit import network
from adaptkit.data.tasks import NLI_LABELS, TASKS
from adaptkit.errors import ConfigError, EmptyCorpus, MalformedText, SourceNotFound, UnknownLanguage
from adaptkit.labelled import read_task, task_languages
from adaptkit.task_types import TASK_TYPES, LabelledText, MultipleChoice, Question, TaggedSentence

NLI_ROWS = [
    ("A hen sat.", "A bird sat.", "entailment"),
    ('"No', "Yes.", "neutral"),
    ("It rained.", "Dry.", "contradiction"),
]


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".gz":
        file.write_bytes(gzip.compress(text.encode()))
    else:
        file.write_text(text, encoding="utf-8")
    return file


def table(*rows: tuple[object, ...]) -> str:
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def squad(*questions: dict[str, object], context: str = "Hens lay eggs. Eggs break.") -> str:
    return json.dumps({"data": [{"paragraphs": [{"context": context, "qas": questions}]}]}, indent=1)


def asked(identifier: str, *answers: tuple[str, int]) -> dict[str, object]:
    stated = [{"text": text, "answer_start": start} for text, start in answers]
    return {"id": identifier, "question": "What breaks?", "answers": stated}


@pytest.mark.parametrize("name", ["xnli/test-sw.tsv", "xnli/test-sw.tsv.gz", "XNLI-1.0/test-sw.tsv"])
def test_xnli_without_a_header(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, table(*NLI_ROWS))
    data = read_task("xnli", data=tmp_path, language="swh_Latn")
    assert (data.task_type, data.labels, data.dropped) == ("classification", NLI_LABELS, {})
    assert data.examples[1] == LabelledText(text='"No', pair="Yes.", label="neutral", language="sw")
    assert data == read_task("xnli", data=(tmp_path / name).parent, language="Swahili")
    assert data.description == f"xnli sw test ({Path(name).name})"
    assert len(read_task("xnli", data=str(tmp_path), language="sw", limit=2).examples) == 2


def test_xnli_genres_become_groups(tmp_path: Path) -> None:
    write(tmp_path / "test-sw.tsv", table(*NLI_ROWS))
    genres = [("row", "genre", "label"), *((n, f"g{n}", row[2]) for n, row in enumerate(NLI_ROWS))]
    write(tmp_path / "genres.test.tsv", table(*genres))
    data = read_task("xnli", data=tmp_path, language="sw")
    assert [example.group for example in data.examples] == ["g0", "g1", "g2"]


@pytest.mark.parametrize(
    ("rows", "line"), [([("row", "genre", "label"), (0, "g", "neutral")], 2), ([("row", "genre", "label")], 1)]
)
def test_genres_of_other_rows_are_refused(tmp_path: Path, rows: list[tuple[object, ...]], line: int) -> None:
    write(tmp_path / "test-sw.tsv", table(*NLI_ROWS))
    file = write(tmp_path / "genres.test.tsv", table(*rows))
    with pytest.raises(MalformedText) as caught:
        read_task("xnli", data=tmp_path, language="sw")
    assert (caught.value.file, caught.value.line) == (str(file), line)


COLUMNS = [
    "language",
    "gold_label",
    *("sentence1_binary_parse", "sentence2_binary_parse", "sentence1_parse", "sentence2_parse"),
    *("sentence1", "sentence2", "promptID", "pairID", "genre"),
    *("label1", "label2", "label3", "label4", "label5"),
    *("sentence1_tokenized", "sentence2_tokenized", "match"),
]


def release_rows() -> Iterator[dict[str, str]]:
    for language in ("en", "sw"):
        for premise, hypothesis, label in NLI_ROWS:
            known = {"language": language, "gold_label": label, "sentence1": premise, "sentence2": hypothesis}
            yield {**dict.fromkeys(COLUMNS, "x"), **known, "genre": "letters"}


@pytest.mark.parametrize("suffix", ["tsv", "jsonl", "jsonl.gz"])
def test_xnli_as_released(tmp_path: Path, suffix: str) -> None:
    rows = [tuple(COLUMNS), *(tuple(row.values()) for row in release_rows())]
    lines = "".join(json.dumps(row) + "\n" for row in release_rows())
    write(tmp_path / f"xnli.test.{suffix}", table(*rows) if suffix == "tsv" else lines)
    data = read_task("xnli", data=tmp_path, language="sw")
    assert [(example.language, example.group) for example in data.examples] == [("sw", "letters")] * 3
    assert task_languages("xnli", tmp_path) == ("en", "sw")
    with pytest.raises(SourceNotFound, match="en, sw"):
        read_task("xnli", data=tmp_path, language="fr")


@pytest.mark.parametrize(
    ("content", "line"),
    [("a\tb\tneutral\na\tb\n", 2), ("a\tb\tmaybe\n", 1), ("a\t\tneutral\n", 1)],
)
def test_broken_xnli_names_file_and_line(tmp_path: Path, content: str, line: int) -> None:
    file = write(tmp_path / "test-sw.tsv", content)
    with pytest.raises(MalformedText) as caught:
        read_task("xnli", data=tmp_path, language="sw")
    assert (caught.value.file, caught.value.line) == (str(file), line)


def test_pairs_without_a_gold_label_are_counted(tmp_path: Path) -> None:
    write(tmp_path / "test-sw.tsv", table(("a", "b", "-"), *NLI_ROWS))
    data = read_task("xnli", data=tmp_path, language="sw")
    assert (len(data.examples), data.dropped) == (3, {"without a label": 1})


def test_mlqa_pairs(tmp_path: Path) -> None:
    for pair in ("de-question-de", "de-question-es", "es-question-de"):
        write(tmp_path / f"mlqa/dev/dev-context-{pair}.json", squad(asked(pair, ("Eggs", 15))))
    assert task_languages("mlqa", tmp_path, split="dev") == ("de",)
    for language, name in (("German", "de-question-de"), ("de-de", "de-question-de"), ("de-es", "de-question-es")):
        data = read_task("mlqa", data=tmp_path, language=language, split="dev")
        question = data.examples[0]
        assert isinstance(question, Question)
        assert (question.id, question.language, question.answers) == (name, "de", (("Eggs", 15),))
    with pytest.raises(SourceNotFound, match="dev-context-es-question-en"):
        read_task("mlqa", data=tmp_path, language="es-en", split="dev")


def test_answers_go_to_the_nearest_place_or_are_dropped(tmp_path: Path) -> None:
    questions = [
        asked("near", ("gg", 11), ("hens", 0)),
        asked("off", ("break", -4), ("Eggs", 900)),
        asked("gone", ("cows", 3)),
        asked("none"),
    ]
    write(tmp_path / "xquad.el.json", squad(*questions))
    data = read_task("xquad", data=tmp_path, language="el")
    answers = {example.id: example.answers for example in data.examples if isinstance(example, Question)}
    assert answers == {"near": (("gg", 10),), "off": (("break", 20), ("Eggs", 15)), "none": ()}
    assert data.dropped == {"answers not in their context": 2, "questions left without an answer": 1}


def test_answers_that_were_kept_back_leave_nothing(tmp_path: Path) -> None:
    write(tmp_path / "xquad.el.json", squad(asked("a", ("", 0))))
    with pytest.raises(EmptyCorpus, match="1 empty answers"):
        read_task("xquad", data=tmp_path, language="el")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('{"data":\n [', 2),
        ("[]", 1),
        ('{"data": [{"paragraphs": 3}]}', 1),
        ('{"data": [{"paragraphs": [{"qas": []}]}]}', 1),
        ('{"data": ["a"]}', 1),
        (squad(asked("a", ("Eggs", 15)), {"id": "b", "question": "Why?"}), 19),
        (squad({"id": "b", "question": "Why?", "answers": [{"text": "Eggs"}]}), 9),
        (squad({"id": "b", "question": "Why?", "answers": {"text": ["Eggs"], "answer_start": []}}), 9),
        (squad({"id": "b", "question": "Why?", "answers": 3}), 9),
        (squad({"id": "b", "question": "Why?", "answers": [{"text": "Eggs", "answer_start": "15"}]}), 9),
    ],
)
def test_broken_squad_names_file_and_line(tmp_path: Path, content: str, line: int) -> None:
    file = write(tmp_path / "xquad.el.json", content)
    with pytest.raises(MalformedText) as caught:
        read_task("xquad", data=tmp_path, language="el")
    assert (caught.value.file, caught.value.line) == (str(file), line)


@pytest.mark.parametrize(
    ("name", "code"), [("tydiqa.goldp.{}.train.json", "en"), ("tydiqa-goldp-train-{}.json", "english")]
)
def test_tydiqa(tmp_path: Path, name: str, code: str) -> None:
    folder = tmp_path / "tydiqa-goldp/tydiqa-goldp-v1.1-train"
    write(folder / name.format(code), squad(asked("a", ("Eggs", 15))))
    assert len(read_task("tydiqa", data=tmp_path, language="en", split="train").examples) == 1


@pytest.mark.parametrize(
    ("task", "file", "separator"),
    [
        ("masakhaner", "masakhaner2/swa/test.txt", " "),
        ("masakhaner", "masakhaner1/swa/test.txt", " "),
        ("wikiann", "wikiann/test-sw.tsv", "\t"),
    ],
)
def test_conll(tmp_path: Path, task: str, file: str, separator: str) -> None:
    lines = ["-DOCSTART- O", "", f"Juma{separator}B-PER", f"yupo{separator}O", " ", "", f"Leo{separator}O"]
    write(tmp_path / file, "\n".join(lines))
    data = read_task(task, data=tmp_path, language="sw")
    assert data.examples[0] == TaggedSentence(words=("Juma", "yupo"), tags=("B-PER", "O"), language="sw")
    assert len(data.examples) == 2
    assert data.labels[:3] == ("O", "B-PER", "I-PER")


@pytest.mark.parametrize(
    ("content", "line"), [("a O\nb\n", 2), ("a O\nb x O\n", 2), ("a O\n\n O\n", 3), ("a O\nb B-FISH\n", 1)]
)
def test_broken_conll_names_file_and_line(tmp_path: Path, content: str, line: int) -> None:
    file = write(tmp_path / "swa/test.txt", content)
    with pytest.raises(MalformedText) as caught:
        read_task("masakhaner2", data=tmp_path, language="sw")
    assert (caught.value.file, caught.value.line) == (str(file), line)


def test_quoted_news_of_two_lines(tmp_path: Path) -> None:
    write(
        tmp_path / "data/swa/test.tsv", 'category\theadline\ttext\turl\nsports\tGoal\t"He said ""run"".\nHe ran."\tu\n'
    )
    data = read_task("masakhanews", data=tmp_path, language="sw")
    assert data.examples == [LabelledText(text='Goal\nHe said "run".\nHe ran.', label="sports", language="sw")]


def test_topics_and_tweets(tmp_path: Path) -> None:
    write(tmp_path / "sib200/zho_Hant/dev.tsv", 'index_id\tcategory\ttext\n7\ttravel\t"A ""far"" land."\n')
    write(tmp_path / "afrisenti/hau/dev.tsv", 'tweet\tlabel\n"Good\tpositive\n')
    topics = read_task("sib200", data=tmp_path, language="zh-Hant", split="dev")
    assert topics.examples == [LabelledText(text='A "far" land.', label="travel", language="zh-Hant")]
    tweets = read_task("afrisenti", data=tmp_path, language="ha", split="dev")
    assert tweets.examples == [LabelledText(text='"Good', label="positive", language="ha")]


def choice(**changed: object) -> str:
    row = {"premise": "I fell.", "choice1": "Ice.", "choice2": "Sun.", "question": "cause", "label": 0}
    return json.dumps({**row, **changed}) + "\n"


def test_xcopa(tmp_path: Path) -> None:
    rows = choice() + choice(question="effect", label=1)
    write(tmp_path / "xcopa/data/sw/val.sw.jsonl", rows)
    write(tmp_path / "xcopa/data/sw/test.sw.jsonl", rows)
    data = read_task("xcopa", data=tmp_path, language="sw", split="dev")
    asked_for = MultipleChoice(prompt="I fell. What was the cause?", choices=("Ice.", "Sun."), answer=0, language="sw")
    assert data.examples[0] == asked_for
    assert isinstance(data.examples[1], MultipleChoice)
    assert data.examples[1].answer == 1


@pytest.mark.parametrize("changed", [{"question": "why"}, {"label": 2}, {"label": "x"}, {"choice1": ""}])
def test_broken_xcopa_names_file_and_line(tmp_path: Path, changed: dict[str, object]) -> None:
    file = write(tmp_path / "sw/test.sw.jsonl", choice() + choice(**changed))
    with pytest.raises(MalformedText) as caught:
        read_task("xcopa", data=tmp_path, language="sw")
    assert (caught.value.file, caught.value.line) == (str(file), 2)


# What is not there


def test_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="xnli"):
        read_task("xnil", data=tmp_path, language="sw")
    with pytest.raises(UnknownLanguage):
        read_task("xnli", data=tmp_path, language="Swahilii")
    with pytest.raises(ConfigError, match="limit"):
        read_task("xnli", data=tmp_path, language="sw", limit=0)
    with pytest.raises(ConfigError, match="split"):
        read_task("xnli", data=tmp_path, language="sw", split="../x")


def test_files_that_would_be_right_are_named(tmp_path: Path) -> None:
    write(tmp_path / "test-de.tsv", table(*NLI_ROWS))
    with pytest.raises(SourceNotFound, match=r"for de\. Expected test-sw\.tsv or xnli\.test\.tsv"):
        read_task("xnli", data=tmp_path, language="sw")
    with pytest.raises(SourceNotFound, match="for no language"):
        read_task("xquad", data=tmp_path, language="sw")
    with pytest.raises(SourceNotFound, match="is a file"):
        read_task("xnli", data=tmp_path / "test-de.tsv", language="de")
    with pytest.raises(SourceNotFound, match="there is no folder"):
        read_task("xnli", data=tmp_path / "nowhere", language="de")


# The hub


def test_without_a_hub_the_files_that_would_be_right_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "hub_answers", lambda: False)
    with pytest.raises(SourceNotFound, match=r"no hub answers.*test-sw\.tsv"):
        read_task("xnli", language="sw")
    with pytest.raises(SourceNotFound, match="no hub answers"):
        task_languages("xnli")


Asked = list[tuple[object, ...]]


def stand_in(monkeypatch: pytest.MonkeyPatch, configs: list[str], rows: datasets.Dataset) -> Asked:
    asked_for: Asked = []

    def load(*names: str | None, **options: object) -> datasets.IterableDataset:
        asked_for.append((*names, options.get("split"), options.get("revision")))
        return rows.to_iterable_dataset()

    monkeypatch.setattr(network, "hub_answers", lambda: True)
    monkeypatch.setattr(datasets, "get_dataset_config_names", lambda *_, **__: configs)
    monkeypatch.setattr(datasets, "load_dataset", load)
    return asked_for


def test_xnli_from_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = datasets.Dataset.from_dict({"premise": ["a", "b"], "hypothesis": ["c", "d"], "label": [2, -1]})
    asked_for = stand_in(monkeypatch, ["all_languages", "en", "sw"], rows)
    data = read_task("xnli", language="sw", split="dev")
    assert data.examples == [LabelledText(text="a", pair="c", label="contradiction", language="sw")]
    assert data.dropped == {"without a label": 1}
    assert asked_for == [("facebook/xnli", "sw", "validation", None)]
    assert task_languages("xnli") == ("en", "sw")
    with pytest.raises(SourceNotFound, match="has no fr on the hub"):
        read_task("xnli", language="fr")
    read_task("xnli", data="somebody/copy:nli", language="fr")
    assert asked_for[1] == ("somebody/copy", "nli", "test", None)


def test_named_classes_on_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=["B-DATE", "O"])),
        }
    )
    rows = datasets.Dataset.from_dict({"tokens": [["a", "b"]], "ner_tags": [[1, 0]]}, features=features)
    asked_for = stand_in(monkeypatch, ["swa"], rows)
    data = read_task("masakhaner2", language="sw")
    assert data.examples == [TaggedSentence(words=("a", "b"), tags=("O", "B-DATE"), language="sw")]
    assert asked_for == [("masakhane/masakhaner2", "swa", "test", "refs/convert/parquet")]


def test_tydiqa_on_the_hub_is_told_by_its_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [{"text": ["Eggs"], "answer_start": [0]}] * 2
    rows = datasets.Dataset.from_dict(
        {
            "id": ["arabic-1-1", "swahili-2-1"],
            "question": ["q", "q"],
            "context": ["Eggs break."] * 2,
            "answers": answers,
        }
    )
    stand_in(monkeypatch, [], rows)
    data = read_task("tydiqa", language="sw", split="train")
    assert [example.id for example in data.examples if isinstance(example, Question)] == ["swahili-2-1"]


def test_a_hub_without_the_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(network, "hub_answers", lambda: True)
    monkeypatch.setattr(datasets, "get_dataset_config_names", fail)
    with pytest.raises(SourceNotFound, match="no route"):
        read_task("xnli", language="sw")


@pytest.mark.parametrize("task", TASKS)
def test_every_benchmark_is_whole(task: str) -> None:
    spec = TASKS[task]
    assert spec.name == task
    assert spec.metrics
    assert spec.layouts
    assert bool(spec.labels) == (TASK_TYPES[spec.task_type].least_labels > 0)
