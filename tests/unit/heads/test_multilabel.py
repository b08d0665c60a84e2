"""Any number of labels for each text, from reading to the report."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import adaptkit
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError, MalformedText, UnknownLabel
from adaptkit.heads import format_of
from adaptkit.heads.batch import Batch
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig, LabelledText, PredictedLabels, TextWithLabels
from adaptkit.training.items import TaskItems
from tests.calls import QUIET, train_adapter
from tests.tolerance import rounded

HEAD = HeadConfig(task_type="multilabel", labels=("goats", "rain"))
SETS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("The goat eats grass.", ("goats",)),
    ("Rain fills the barrel.", ("rain",)),
    ("The goat eats grass. Rain fills the barrel.", ("goats", "rain")),
    ("Amina sold maize.", ()),
)


def made(n: int = 80) -> TaskData:
    return adaptkit.read_labelled([TextWithLabels(text=text, labels=labels) for text, labels in SETS] * (n // 4))


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        (["rain", "wind"], ("rain", "wind")),
        ('["rain", "wind"]', ("rain", "wind")),
        ("rain| wind", ("rain", "wind")),
        ("rain", ("rain",)),
        (["rain", "rain"], ("rain",)),
        ([1, 3], ("1", "3")),
        (3, ("3",)),
        ([], ()),
        ("[]", ()),
        ("", ()),
    ],
)
def test_labels_of_a_row_are_a_list_or_a_cell_with_bars(cell: object, labels: tuple[str, ...]) -> None:
    data = adaptkit.read_labelled([{"text": "a", "labels": cell}, {"text": "b", "labels": ["sun"]}])
    assert data.task_type == "multilabel"
    assert data.examples[0] == TextWithLabels(text="a", labels=labels)
    assert data.labels == tuple(sorted({*labels, "sun"}))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'text,labels\n"It rains, it blows.",rain|wind\nDry.,\n'),
        ("a.tsv", "sentence\tlabels\nIt rains, it blows.\train|wind\nDry.\t\n"),
        ("a.jsonl", '{"text": "It rains, it blows.", "labels": ["rain", "wind"]}\n{"text": "Dry.", "labels": []}\n'),
    ],
)
def test_files(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    data = adaptkit.read_labelled(tmp_path / name)
    assert data.examples == [
        TextWithLabels(text="It rains, it blows.", labels=("rain", "wind")),
        TextWithLabels(text="Dry.", labels=()),
    ]


def test_rows_that_nobody_labelled_are_left_out() -> None:
    rows = [{"text": "a", "labels": None}, {"text": "b", "labels": ["x", None]}, {"text": "c", "labels": ["x"]}]
    data = adaptkit.read_labelled(rows)
    assert (len(data.examples), data.dropped) == (1, {"without a label": 2})
    with pytest.raises(MalformedText, match="the label 'y'"):
        adaptkit.read_labelled([{"text": "a", "labels": ["y"]}], labels=["x"])
    with pytest.raises(MalformedText, match="labels of type dict"):
        adaptkit.read_labelled([{"text": "a", "labels": {}}])


def test_one_label_in_its_own_column_is_read_as_before() -> None:
    (found,) = adaptkit.read_labelled([{"text": "a", "label": "x", "labels": ["y"]}]).examples
    assert found == LabelledText(text="a", label="x")


def test_no_label_at_all_makes_no_head(model: AdaptedModel) -> None:
    rows = [{"text": "a", "labels": []}] * 30
    with pytest.raises(ConfigError, match="has no label; a head of multilabel needs 1 or more"):
        train_adapter(task="t", data=rows, backbone=model, progress=False)


def test_the_loss_is_that_of_each_label_by_itself(model: AdaptedModel) -> None:
    task_format = format_of(model.backbone, HEAD)
    items = task_format.items(made(4).examples)
    labels = task_format.labels(items, 0)
    assert labels.tolist() == [[1, 0], [0, 1], [1, 1], [0, 0]]
    outputs = torch.tensor([[1.0, -2.0], [0.5, 0.0], [3.0, 1.0], [-1.0, 0.25]])
    shares = torch.sigmoid(outputs)
    expected = -(labels * shares.log() + (1 - labels) * (1 - shares).log()).mean()
    found = task_format.loss(outputs, Batch(ids=labels, mask=labels, labels=labels))
    assert found.item() == rounded(expected.item())


def test_labels_of_at_least_a_half_are_predicted(model: AdaptedModel) -> None:
    outputs = [torch.tensor([[0.0, -0.01]]), torch.tensor([[-1.0, -1.0]]), torch.tensor([[1.0, 2.0]])]
    found = format_of(model.backbone, HEAD).predictions((), (), outputs)
    assert [each.labels for each in found] == [("goats",), (), ("goats", "rain")]
    assert found[0].probabilities["goats"] == 0.5


def test_a_label_or_a_pair_that_the_head_does_not_know_is_refused(model: AdaptedModel) -> None:
    task_format = format_of(model.backbone, HEAD)
    with pytest.raises(UnknownLabel, match="snow"):
        task_format.items([TextWithLabels(text="a", labels=("rain", "snow"))])
    with pytest.raises(ConfigError, match="this head is for single texts"):
        task_format.items([TextWithLabels(text="a", pair="b", labels=("rain",))])


def test_no_label_is_held_out_whole(model: AdaptedModel) -> None:
    task_format = format_of(model.backbone, HEAD)
    common = [TextWithLabels(text="a", labels=("goats",)), TextWithLabels(text="a", labels=())] * 20
    plain = TaskItems(task_format.items(common), task_format, seed=0, has_labels=True)
    for row in plain.heldout:
        rare = [*common[:row], replace(common[row], labels=(*common[row].labels, "rain")), *common[row + 1 :]]
        assert row in TaskItems(task_format.items(rare), task_format, seed=0, has_labels=True).training


def test_the_loss_of_a_constant_answer(model: AdaptedModel) -> None:
    task_format = format_of(model.backbone, HEAD)
    items = task_format.items(made(80).examples)
    data = TaskItems(items, task_format, seed=0, has_labels=True, constant_loss_of=HEAD.row.constant_loss)
    labels = task_format.labels([items[number] for number in data.heldout], 0)
    logits = torch.logit(labels.mean(dim=0)).expand_as(labels)
    assert data.constant_loss == rounded(task_format.loss(logits, Batch(ids=labels, mask=labels, labels=labels)).item())


def test_it_learns_comes_back_answers_and_is_scored(model: AdaptedModel, tmp_path: Path) -> None:
    data = made()
    adapter = train_adapter(
        task="themes",
        data=data,
        lang="en",
        backbone=model,
        max_steps=200,
        learning_rate=4e-3,
        output=tmp_path / "themes",
        progress=False,
    )
    facts = adapter.card.training
    assert facts is not None
    assert facts.heldout_loss_after < 0.5 * facts.heldout_loss_before
    loaded = adaptkit.load_adapter(tmp_path / "themes")
    assert loaded.config.head == replace(HEAD, dropout=loaded.config.head.dropout if loaded.config.head else 0)
    model.attach(loaded)
    found = model.predict([text for text, _ in SETS], stack="themes")
    assert all(isinstance(each, PredictedLabels) for each in found)
    assert [each.labels for each in found] == [labels for _, labels in SETS]
    report = adaptkit.evaluate(
        model,
        task="themes",
        adapter=loaded,
        languages="sw",
        data={"sw": made(20)},
        compare="none",
        measuring=QUIET,
    )
    assert report.results.metrics == ("micro F1", "macro F1")
    assert report.results.cells[0].scores["micro F1"] == (100.0,)
    assert "Head: multilabel, labels: goats, rain" in (tmp_path / "themes" / "README.md").read_text(encoding="utf-8")
    written = json.loads((tmp_path / "themes" / "adapter_config.json").read_text(encoding="utf-8"))
    assert written["head"]["task_type"] == "multilabel"


def test_pairs(model: AdaptedModel) -> None:
    rows = [
        {"text": "The goat", "pair": second, "labels": labels} for second, labels in (("eats.", ["a"]), ("runs.", []))
    ] * 12
    adapter = train_adapter(task="pairs", data=rows, backbone=model, max_steps=2, progress=False)
    assert adapter.config.head is not None
    assert adapter.config.head.pairs
    model.attach(adapter)
    (found,) = model.predict([("The goat", "eats.")], stack="pairs")
    assert set(found.probabilities) == {"a"}
