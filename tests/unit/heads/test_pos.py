"""Parts of speech: recognised, trained, predicted and scored."""

from pathlib import Path

import pytest

import adaptkit
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError
from adaptkit.model import AdaptedModel
from adaptkit.task_types import TASK_TYPES, TaggedSentence
from tests.calls import QUIET, train_adapter

ROWS = [{"words": ["goats", "eat", f"maize{i}"], "tags": ["NOUN", "VERB", "NOUN"]} for i in range(40)]


def test_tags_without_entities_are_parts_of_speech_unless_the_type_is_said(tmp_path: Path) -> None:
    assert adaptkit.read_labelled(ROWS).task_type == "pos"
    assert adaptkit.read_labelled(ROWS, task_type="tagging").task_type == "tagging"
    assert adaptkit.read_labelled([{"words": ["Asha"], "tags": ["B-PER"]}]).task_type == "tagging"
    assert adaptkit.read_labelled([{"words": ["sits"], "tags": ["O"]}]).task_type == "tagging"
    assert adaptkit.read_labelled([{"tokens": ["goat"], "xpos": ["NN"]}]).task_type == "pos"
    examples = [TaggedSentence(words=("goat", "well"), tags=("NOUN", "S-ADV"))]
    assert adaptkit.read_labelled(examples).task_type == "pos"
    (tmp_path / "a.conllu").write_text("1\tgoat\tgoat\tNOUN\t_\t_\t0\troot\t_\t_\n\n", encoding="utf-8")
    assert adaptkit.read_labelled(tmp_path / "a.conllu").task_type == "pos"


def test_it_is_trained_and_scored_word_by_word(model: AdaptedModel) -> None:
    adapter = train_adapter(
        task="speech", data=ROWS, lang="en", backbone=model, max_steps=30, learning_rate=1e-2, progress=False
    )
    assert adapter.config.head is not None
    assert adapter.config.head.task_type == "pos"
    model.attach(adapter)
    (found,) = model.predict([["goats", "eat", "maize1"]], stack="speech")
    assert found.tags == ("NOUN", "VERB", "NOUN")
    (cut,) = model.predict([["goat"] * 3000], stack="speech")
    assert cut.tags[-1] == ""
    test = adaptkit.read_labelled([*ROWS[:9], {"words": ["up"], "tags": ["ADP"]}])
    report = adaptkit.evaluate(
        model,
        task="speech",
        adapter=adapter,
        languages="sw",
        data={"sw": test},
        compare="none",
        measuring=QUIET,
    )
    scores = report.results.cells[0].scores
    assert scores["accuracy"][0] == pytest.approx(100 * 27 / 28)
    assert scores["macro F1"][0] < 70
    assert "words tagged ADP count as wrong: the task adapter was not trained on them." in report.results.notes


def test_words_that_are_not_read_count_as_wrong(model: AdaptedModel) -> None:
    row = TASK_TYPES["pos"]
    data = adaptkit.read_labelled([{"words": ["goat"] * 400, "tags": ["NOUN"] * 399 + ["VERB"]}])
    head = adaptkit.task_types.HeadConfig(task_type="pos", labels=data.labels)
    items = adaptkit.heads.format_of(model.backbone, head, max_length=32).items(data.examples)
    (lost,) = row.lost(head, data.examples, items, max_length=32, scored=True)
    assert lost.startswith("1 of 1 (100.0%) examples are cut at 32 tokens, and with them ")
    assert lost.endswith("words, which count as wrong")


def test_two_kinds_of_tags_are_two_tasks(model: AdaptedModel) -> None:
    entities: TaskData = adaptkit.read_labelled([{"words": ["Asha"], "tags": ["B-PER"]}] * 30)
    speech = adaptkit.read_labelled(ROWS)
    with pytest.raises(ConfigError, match=r"different tasks: pos \(parts of speech\), tagging"):
        train_adapter(task="t", data={"en": entities, "sw": speech}, backbone=model, max_steps=2, progress=False)
