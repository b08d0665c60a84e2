"""Options of reading reach training, estimates, evaluation and the commands."""

from pathlib import Path
from typing import Any

import pytest

import adaptkit
from adaptkit.errors import ConfigError, MalformedText
from adaptkit.labelled import read_labelled
from adaptkit.labelled.reading_options import columns_of
from adaptkit.recipes.task import read_examples
from adaptkit.task_types import LabelledText
from tests.calls import QUIET, estimate_adapter, language_request, task_request, train_adapter
from tests.tiny import tiny_model

WORDS = ("mvua", "jua", "mbuzi", "shule")
QUICK: dict[str, Any] = {"max_steps": 1, "batch_size": 8, "progress": False}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Quoted cells, columns of other names, NLI as numbers."""
    rows = [f'"{WORDS[n % 4]} ""ni"" {n}"\tjambo {n}\t{n % 3}' for n in range(24)]
    path = tmp_path / "odd.tsv"
    path.write_text("\n".join(["before\tafter\tstars", *rows]) + "\n", encoding="utf-8")
    return path


OPTIONS: dict[str, Any] = {
    "columns": {"text": "before", "pair": "after", "label": "stars"},
    "nli": True,
    "quoted": True,
}


def test_they_reach_training(table: Path) -> None:
    data = read_examples(task_request(task="nli", data=table, **OPTIONS))
    assert data.labels == ("entailment", "neutral", "contradiction")
    (first, *_) = data.examples
    assert isinstance(first, LabelledText)
    assert (first.text, first.pair, first.label) == ('mvua "ni" 0', "jambo 0", "entailment")
    adapter = train_adapter(task="nli", data=table, backbone=tiny_model(), **OPTIONS, **QUICK)
    assert adapter.config.head is not None
    assert adapter.config.head.pairs
    assert adapter.card.training is not None
    assert not {"columns", "quoted", "nli"} & adapter.card.training.settings.keys()


def test_without_them_the_message_names_them(table: Path) -> None:
    with pytest.raises(MalformedText, match=r"or name them: columns=\{'text': \.\.\., 'label': \.\.\.\}"):
        train_adapter(task="nli", data=table, backbone=tiny_model(), **QUICK)


def test_what_was_found_in_reading_is_in_the_plan(table: Path) -> None:
    options = {name: value for name, value in OPTIONS.items() if name != "quoted"}
    found = estimate_adapter(task="nli", data=table, backbone=tiny_model(), **options, max_steps=1)
    assert "looks quoted as in CSV, whose quotes were kept (quoted=True takes them off): 24" in str(found)


def test_a_range_of_scores_and_a_list_of_labels(tmp_path: Path) -> None:
    pairs = tmp_path / "sts.tsv"
    pairs.write_text("sentence1\tsentence2\tscore\n" + "mvua\tjua\t5\n" * 3, encoding="utf-8")
    (first, *_) = read_examples(task_request(task="sts", data=pairs, score_range=(0, 5))).examples
    assert getattr(first, "score") == 1.0  # noqa: B009 - of an example of any type
    rows = [{"text": "mvua", "label": "Wet"}, {"text": "jua", "label": "dry"}, {"text": "umande", "label": "wet"}]
    assert read_examples(task_request(task="t", data=rows, labels=("dry", "wet", "Wet"))).labels == (
        "dry",
        "wet",
        "Wet",
    )


def test_they_are_for_tasks_and_for_data_of_ones_own(table: Path) -> None:
    with pytest.raises(ConfigError, match="quoted does not go with a language adapter"):
        language_request(lang="sw", text="mvua.txt", quoted=True)
    model = tiny_model()
    task = train_adapter(task="nli", data=table, lang="sw", backbone=model, **OPTIONS, **QUICK)
    asked: dict[str, Any] = {"task": "own", "adapter": task, "languages": "sw", "compare": "none", "measuring": QUIET}
    report = adaptkit.evaluate(model, data={"sw": table}, **asked, reading=adaptkit.ReadingOptions(**OPTIONS))
    assert report.results.cells[0].n_examples == 24
    with pytest.raises(ConfigError, match="not benchmarks"):
        adaptkit.evaluate(model, data=table.parent, **asked, reading=adaptkit.ReadingOptions(**OPTIONS))


def test_columns_in_the_shell() -> None:
    assert columns_of(["text=before", "label=a=b"]) == {"text": "before", "label": "a=b"}
    with pytest.raises(ConfigError, match=r"--columns is written ROLE=NAME.*'before'"):
        columns_of(["before"])


def test_examples_are_values_already(table: Path) -> None:
    pairs = [LabelledText(text="mvua", pair="maji", label=label) for label in ("E", "0", "contradiction", "1")]
    assert read_labelled(pairs, nli=True).labels == ("entailment", "neutral", "contradiction")
    assert [getattr(each, "label") for each in read_labelled(pairs, nli=True).examples] == [  # noqa: B009
        "entailment",
        "entailment",
        "contradiction",
        "neutral",
    ]
    late: list[dict[str, Any]] = [{"columns": {"text": "x"}}, {"score_range": (0, 5)}, {"quoted": True}]
    for options in late:
        with pytest.raises(ConfigError, match="say how a table is read"):
            read_labelled(pairs, **options)
    data = read_labelled(table, **OPTIONS)
    for options in [*late, {"labels": ("a",)}, {"nli": True}]:
        with pytest.raises(ConfigError, match="is read already"):
            read_examples(task_request(task="nli", data=data, **options))
    with pytest.raises(ConfigError, match="holds examples of classification, and task_type is 'tagging'"):
        read_examples(task_request(task="nli", data=data, task_type="tagging"))


def test_names_of_columns_in_quotes(tmp_path: Path) -> None:
    path = tmp_path / "q.tsv"
    path.write_text('"before"\t"stars"\n"mvua"\t"1"\n', encoding="utf-8")
    with pytest.raises(MalformedText, match=r"the names stand in quotes: quoted=True"):
        read_labelled(path, columns={"text": "before", "label": "stars"})
