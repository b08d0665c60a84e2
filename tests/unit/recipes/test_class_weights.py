"""Class weights: what is asked for, what the loss makes of them, and what is trained with them."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

import adaptkit
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError
from adaptkit.heads import format_of
from adaptkit.heads.batch import Batch
from adaptkit.requests import request_of
from adaptkit.task_types import IGNORED, HeadConfig, LabelledText, TaggedSentence
from adaptkit.task_types.class_weights import ClassWeights, class_weights_of, weighing_of
from adaptkit.training.items import TaskItems
from tests.calls import estimate_adapter, train_adapter
from tests.tiny import tiny_model
from tests.unit.heads import examples as made

QUICK: dict[str, Any] = {"task": "trial", "max_steps": 4, "batch_size": 8, "progress": False}


def rare() -> TaskData:
    """Texts of which one in five is of goats, and which say nothing of it."""
    examples = [
        LabelledText(text=f"Amina sold maize {i}.", label="rain" if i % 5 else "goats", language="sw")
        for i in range(100)
    ]
    return TaskData(task_type="classification", examples=examples, labels=("goats", "rain"), description="rare")


def items_of(data: TaskData, weights: ClassWeights | None) -> TaskItems:
    head = HeadConfig(task_type=data.task_type, labels=data.labels)
    task_format = format_of(tiny_model().backbone, head)
    return TaskItems(
        task_format.items(data.examples), task_format, 0, has_labels=True, weighing=weighing_of(weights, head)
    )


def test_balanced_is_inverse_frequency_with_a_mean_of_1_over_the_examples_that_train() -> None:
    items = items_of(rare(), "balanced")
    targets = [int(items.items[number].target[0]) for number in items.training]
    goats, rain = targets.count(0), targets.count(1)
    assert items.class_weights == pytest.approx((len(targets) / (2 * goats), len(targets) / (2 * rain)))
    assert items.class_weights is not None
    assert sum(items.class_weights[target] for target in targets) == pytest.approx(len(targets))


def test_a_label_that_never_occurs_does_not_change_the_others() -> None:
    # Of the tags O, B-PER and I-PER, the last does not occur; one word in five is a name.
    assert items_of(made.tags(), "balanced").class_weights == pytest.approx((5 / 8, 5 / 2, 1.0))


def test_the_loss_of_classification_is_the_weighed_mean() -> None:
    backbone = tiny_model().backbone
    head = HeadConfig(task_type="classification", labels=("a", "b"))
    logits, labels = torch.tensor([[2.0, 0.0], [1.0, 3.0], [0.0, 1.0]]), torch.tensor([0, 0, 1])
    batch = Batch(torch.zeros(3, 1), torch.ones(3, 1), labels=labels, class_weights=torch.tensor([3.0, 0.5]))
    losses = [math.log(1 + math.exp(-2)), math.log(1 + math.exp(2)), math.log(1 + math.exp(-1))]
    weighed = (3 * losses[0] + 3 * losses[1] + 0.5 * losses[2]) / 6.5
    assert float(format_of(backbone, head).loss(logits, batch)) == pytest.approx(weighed)


@pytest.mark.parametrize("task_type", ["tagging", "pos"])
def test_the_loss_of_words_is_the_weighed_mean_over_words(task_type: str) -> None:
    head = HeadConfig(task_type=task_type, labels=("O", "B-PER"))
    labels = torch.tensor([[IGNORED, 0, 1, IGNORED]])
    logits = torch.tensor([[[9.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.0, 9.0]]])
    batch = Batch(torch.zeros(1, 4), torch.ones(1, 4), labels=labels, class_weights=torch.tensor([1.0, 4.0]))
    weighed = (math.log(1 + math.exp(-1)) + 4 * math.log(2)) / 5
    assert float(format_of(tiny_model().backbone, head).loss(logits, batch)) == pytest.approx(weighed)


def test_words_without_a_tag_have_no_weight_and_no_loss() -> None:
    tags = ("NOUN", "_", "VERB", "VERB", "VERB")
    sentences = [TaggedSentence(words=("a", "b", "c", "d", "e"), tags=tags, language="sw")] * 40
    untagged = TaggedSentence(words=("a", "b"), tags=("_", "_"), language="sw")
    data = TaskData(task_type="pos", examples=[*sentences, untagged], labels=("NOUN", "VERB"), description="words")
    items = items_of(data, "balanced")
    assert [len(item.target) for item in items.items] == [5] * 40 + [0]
    assert items.class_weights == pytest.approx((2.0, 2 / 3))
    assert items.constant_loss == pytest.approx(math.log(2))
    assert items_of(data, None).constant_loss == pytest.approx(-0.25 * math.log(0.25) - 0.75 * math.log(0.75))
    batch = items.batch([0], tiny_model().backbone)
    assert batch.labels is not None
    assert (batch.labels != IGNORED).sum() == 4


def test_the_loss_of_the_same_answer_to_all_is_weighed_too() -> None:
    assert items_of(rare(), None).constant_loss == pytest.approx(-0.8 * math.log(0.8) - 0.2 * math.log(0.2), abs=0.1)
    weighed = items_of(rare(), "balanced")
    held = [int(weighed.items[number].target[0]) for number in weighed.heldout]
    assert weighed.class_weights is not None
    share = weighed.class_weights[0] * held.count(0) / sum(weighed.class_weights[label] for label in held)
    assert weighed.constant_loss == pytest.approx(-share * math.log(share) - (1 - share) * math.log(1 - share))


def test_weights_decide_what_is_answered_where_the_text_says_nothing() -> None:
    def answer(weights: ClassWeights | None) -> str:
        model = tiny_model()
        adapter = train_adapter(
            task="t",
            data=rare(),
            backbone=model,
            class_weights=weights,
            max_steps=30,
            learning_rate=5e-3,
            progress=False,
        )
        model.attach(adapter)
        (found,) = model.predict(["Amina sold maize 7."], stack="task/t")
        label: str = found.label
        return label

    assert answer(None) == "rain"
    assert answer({"goats": 20, "rain": 1}) == "goats"


def test_the_plan_says_the_weights_and_the_card_what_was_asked_for() -> None:
    plan = estimate_adapter(**QUICK, data=rare(), backbone=tiny_model(), class_weights="balanced").plan
    assert "class weights: goats 2.5, rain 0.625" in plan
    asked: list[tuple[ClassWeights, str]] = [("balanced", "balanced"), ({"goats": 3, "rain": 0.5}, "goats=3,rain=0.5")]
    for weights, said in asked:
        adapter = train_adapter(**QUICK, data=rare(), backbone=tiny_model(), class_weights=weights)
        assert adapter.training is not None
        assert adapter.training.settings["class_weights"] == said


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"goats": 1}, "none is given for 'rain'"),
        ({"goats": 1, "rain": 1, "snow": 1}, "there is no label 'snow'. The labels are goats, rain;"),
        ({"goats": 0, "rain": 1}, "found 0 for the label 'goats'"),
        ({"goats": -1, "rain": 1}, "found -1 for"),
        ({"goats": math.nan, "rain": 1}, "found nan for"),
        ({"goats": math.inf, "rain": 1}, "found inf for"),
        ({"goats": 1e-9, "rain": 1}, "between 1e-06 and 1,000,000"),
        ({"goats": True, "rain": 1}, "takes balanced, a mapping from a text to a number or None, found"),
        ({"goats": "3", "rain": 1}, "takes balanced, a mapping"),
        ("even", "takes balanced, a mapping"),
        ([1, 2], "takes balanced, a mapping"),
    ],
)
def test_weights_that_cannot_be_right_are_refused(weights: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(ConfigError, match=message):
        train_adapter(**QUICK, data=rare(), backbone=tiny_model(), class_weights=weights)


@pytest.mark.parametrize("data", [made.similar(), made.questions(), made.choices()])
def test_a_task_without_classes_has_no_weights(data: TaskData) -> None:
    with pytest.raises(ConfigError, match=f"classification, where each .* head of {data.task_type}; leave it out"):
        train_adapter(**QUICK, data=data, backbone=tiny_model(), class_weights="balanced")


def test_a_language_adapter_has_no_classes() -> None:
    with pytest.raises(ConfigError, match="class_weights does not go with a language adapter"):
        adaptkit.train_adapter(lang="sw", class_weights="balanced")


def test_labels_are_those_of_the_data_in_any_normal_form() -> None:
    examples = [replace(each, label="m\u0101ne" if each.label == "rain" else "b") for each in made.topic_texts()]
    data = adaptkit.read_labelled(examples)
    assert items_of(data, {"ma\u0304ne": 2, "b": 1}).class_weights == (1.0, 2.0)


def test_a_shell_has_them_in_one_word() -> None:
    assert class_weights_of("balanced") == "balanced"
    assert class_weights_of("spam=3,ham=1.5") == {"spam": 3.0, "ham": 1.5}
    assert class_weights_of("a=b=2") == {"a=b": 2.0}
    asked = request_of({"task": "t", "data": ["a.tsv"], "class_weights": {"spam": 3.0, "ham": 1.0}})
    assert asked.record()["class_weights"] == "spam=3.0,ham=1.0"
    for wrong in ("", "even", "spam", "spam=3,", "spam=x", "=3", "spam=3,spam=4"):
        with pytest.raises(ConfigError, match="LABEL=WEIGHT"):
            class_weights_of(wrong)
