"""Several stacks that answer each input together."""

from statistics import fmean
from typing import Any

import pytest

from adaptkit.composition import Stack
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import TASK_TYPES, HeadConfig, PredictedChoice, PredictedLabel, PredictedLabels
from tests.adapters import attach_random
from tests.tiny import tiny_model
from tests.tolerance import rounded

LORA = LoraConfig(rank=2)
TEXTS = ["The goat eats grass.", "Maji.", "Rain fills the barrel behind the house every night."]
TOPICS = ("goats", "rain")


@pytest.fixture
def model() -> AdaptedModel:
    model = tiny_model()
    attach_random(model, "language/sw", AdapterConfig(method=LORA), seed=3)
    heads = {
        "task/one": HeadConfig(task_type="classification", labels=TOPICS),
        "task/two": HeadConfig(task_type="classification", labels=TOPICS[::-1]),
        "task/three": HeadConfig(task_type="classification", labels=("goats", "food")),
        "task/names": HeadConfig(task_type="tagging", labels=("O", "B-PER", "I-PER")),
    }
    for seed, (name, head) in enumerate(heads.items()):
        attach_random(model, name, AdapterConfig(method=LORA, head=head), seed=seed)
    return model.eval()


def test_probabilities_are_the_means_of_those_of_each_stack(model: AdaptedModel) -> None:
    stacks = ["task/one", "language/sw > task/one", "task/two"]
    found = model.predict(TEXTS, ensemble=stacks)
    alone = [model.predict(TEXTS, stack=stack) for stack in stacks]
    assert len({tuple(answer.label for answer in answers) for answers in alone}) > 1  # they disagree
    for answer, each in zip(found, zip(*alone, strict=True), strict=True):
        assert answer.probabilities == {
            label: rounded(fmean(one.probabilities[label] for one in each)) for label in TOPICS
        }
        assert answer.label == max(TOPICS, key=lambda label: answer.probabilities[label])
    assert model.predict(TEXTS[0], ensemble=stacks) == found[0]
    assert model.predict([], ensemble=stacks) == []


@pytest.mark.parametrize(
    ("task_type", "answers", "mean"),
    [
        (
            "classification",
            [PredictedLabel("a", {"a": 0.6, "b": 0.4}), PredictedLabel("b", {"b": 0.9, "a": 0.1})],
            PredictedLabel("b", {"a": 0.35, "b": 0.65}),
        ),
        (
            "multilabel",
            [PredictedLabels(("a",), {"a": 0.8, "b": 0.3}), PredictedLabels(("b",), {"a": 0.2, "b": 0.9})],
            PredictedLabels(("a", "b"), {"a": 0.5, "b": 0.6}),
        ),
        (
            "choice",
            [PredictedChoice(0, (0.75, 0.25)), PredictedChoice(1, (0.0, 1.0))],
            PredictedChoice(1, (0.375, 0.625)),
        ),
        ("regression", [0.25, 0.75], 0.5),
        ("similarity", [-0.5, 1.0], 0.25),
    ],
)
def test_the_mean_of_each_kind_of_answer(task_type: str, answers: list[Any], mean: object) -> None:
    averaged = TASK_TYPES[task_type].averaged
    assert averaged is not None
    assert averaged(answers) == mean


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"ensemble": ["task/one", "task/three"]}, "labels: goats, rain; and classification, labels: goats, food"),
        ({"ensemble": ["task/names", "language/sw > task/names"]}, "tagging.* have no mean; .* classification"),
        ({"ensemble": ["task/one"]}, "at least 2 stacks.*For one, give it as stack"),
        ({"ensemble": ["task/one", "one"]}, "has task/one twice"),
        ({"ensemble": {"task/one": 0.3, "task/two": 0.7}}, "list of at least 2 stacks"),
        ({"ensemble": "task/one"}, "list of at least 2 stacks.*found 'task/one'"),
        ({"ensemble": Stack("task/one")}, "list of at least 2 stacks.*found Stack"),
        ({"ensemble": ["task/one", "task/two"], "stack": "task/one"}, "leave out stack and stacks"),
        ({"ensemble": ["task/one", "task/two"], "stacks": ["task/one"] * 3}, "leave out stack and stacks"),
    ],
)
def test_what_has_no_mean_is_refused(asked: dict[str, Any], why: str, model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match=why):
        model.predict(TEXTS, **asked)
