"""A score for each text, from reading to the report."""

import json
from pathlib import Path

import pytest
import torch

import adaptkit
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError, MalformedText
from adaptkit.heads import format_of
from adaptkit.heads.batch import Batch
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig, LabelledText, ScoredText, SimilarPair
from adaptkit.training.items import TaskItems
from tests.calls import QUIET, train_adapter
from tests.tolerance import rounded

HEAD = HeadConfig(task_type="regression")
SCORES = {"The goat eats grass.": 0.9, "Rain fills the barrel.": 0.1, "Amina sold maize.": 0.5}


def made(n: int = 60) -> TaskData:
    return adaptkit.read_labelled([ScoredText(text=text, score=score) for text, score in SCORES.items()] * (n // 3))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text,score\ngood,4\n"),
        ("a.tsv", "sentence\tScore\ngood\t4.0\n"),
        ("a.jsonl", '{"text": "good", "score": 4}\n'),
    ],
)
def test_a_text_with_a_score_is_read_into_0_to_1(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    data = adaptkit.read_labelled(tmp_path / name, score_range=(0, 5))
    assert (data.task_type, data.examples) == ("regression", [ScoredText(text="good", score=0.8)])
    with pytest.raises(MalformedText, match="score_range"):
        adaptkit.read_labelled(tmp_path / name)


def test_other_tables_with_a_score_are_read_as_before() -> None:
    pair, topic = (
        {"text": "a", "sentence2": "b", "score": 0.5},
        {"text": "a", "label": "x", "score": 0.5},
    )
    assert adaptkit.read_labelled([pair]).examples == [SimilarPair(first="a", second="b", score=0.5)]
    assert adaptkit.read_labelled([topic]).examples == [LabelledText(text="a", label="x")]
    stars = adaptkit.read_labelled([{"review": "a", "stars": 0.5}], columns={"text": "review", "score": "stars"})
    assert stars.examples == [ScoredText(text="a", score=0.5)]


def test_the_loss_is_the_squared_error(model: AdaptedModel) -> None:
    task_format = format_of(model.backbone, HEAD)
    labels = task_format.labels(task_format.items(made(3).examples), 0)
    outputs = torch.tensor([[0.5], [0.0], [1.5]])
    found = task_format.loss(outputs, Batch(ids=labels, mask=labels, labels=labels))
    assert found.item() == rounded((0.4**2 + 0.1**2 + 1.0**2) / 3)


def test_predictions_lie_between_0_and_1(model: AdaptedModel) -> None:
    outputs = [torch.tensor([[number]]) for number in (-0.2, 0.25, 1.3)]
    assert format_of(model.backbone, HEAD).predictions((), (), outputs) == [0.0, 0.25, 1.0]


def test_the_loss_of_a_constant_answer(model: AdaptedModel) -> None:
    task_format = format_of(model.backbone, HEAD)
    items = task_format.items(made().examples)
    data = TaskItems(items, task_format, seed=0, constant_loss_of=HEAD.row.constant_loss)
    labels = task_format.labels([items[number] for number in data.heldout], 0)
    assert data.constant_loss == rounded(labels.var(correction=0).item())


def test_it_learns_comes_back_answers_and_is_scored(model: AdaptedModel, tmp_path: Path) -> None:
    adapter = train_adapter(
        task="warmth",
        data=made(),
        lang="en",
        backbone=model,
        max_steps=200,
        learning_rate=4e-3,
        output=tmp_path / "warmth",
        progress=False,
    )
    facts = adapter.card.training
    assert facts is not None
    assert facts.heldout_loss_after < 0.5 * facts.heldout_loss_before
    loaded = adaptkit.load_adapter(tmp_path / "warmth")
    assert loaded.config == adapter.config
    assert loaded.config.head == HEAD
    model.attach(loaded)
    found = model.predict(list(SCORES), stack="warmth")
    assert found == pytest.approx(list(SCORES.values()), abs=0.15)
    report = adaptkit.evaluate(
        model,
        task="warmth",
        adapter=loaded,
        languages="sw",
        data={"sw": made(30)},
        compare="none",
        measuring=QUIET,
    )
    assert report.results.metrics == ("Pearson correlation", "closeness")
    (cell,) = report.results.cells
    assert cell.scores["Pearson correlation"][0] > 95
    assert cell.scores["closeness"][0] > 85
    assert "Head: regression" in (tmp_path / "warmth" / "README.md").read_text(encoding="utf-8")
    written = json.loads((tmp_path / "warmth" / "adapter_config.json").read_text(encoding="utf-8"))
    assert written["head"]["task_type"] == "regression"
    with pytest.raises(ConfigError, match="an input is a text"):
        model.predict([("a", "b")], stack="warmth")
