"""Several stacks that answer each input together."""

from collections.abc import Callable
from statistics import fmean
from typing import Any

import pytest

from adaptkit import (
    Ensemble,
    as_pipeline,
    as_sentence_transformer,
    as_transformers,
    export_onnx,
    export_peft_stack,
    merge,
    project_entities,
)
from adaptkit.errors import AdaptkitError, ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import TASK_TYPES, HeadConfig, PredictedChoice, PredictedLabel, PredictedLabels
from tests.adapters import attach_random, random_adapter
from tests.tiny import tiny_model

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
    found = model.predict(TEXTS, stack="one | sw > one | two")
    alone = [model.predict(TEXTS, stack=stack) for stack in stacks]
    assert len({tuple(answer.label for answer in answers) for answers in alone}) > 1  # they disagree
    for answer, each in zip(found, zip(*alone, strict=True), strict=True):
        assert list(answer.probabilities) == list(TOPICS)
        for label, probability in answer.probabilities.items():
            assert probability == pytest.approx(fmean(one.probabilities[label] for one in each), abs=1e-6)
        assert answer.label == max(TOPICS, key=lambda label: answer.probabilities[label])
    assert model.predict(TEXTS, stack=Ensemble(*stacks)) == found
    assert scores(model.predict(TEXTS[0], stack=Ensemble(*stacks))) == pytest.approx(scores(found[0]), abs=1e-6)
    assert model.predict([], stack=Ensemble(*stacks)) == []


def test_some_rows_are_under_an_ensemble_and_some_are_not(model: AdaptedModel) -> None:
    words = ["Asha", "rests"]
    first, tags, last = model.predict(
        [TEXTS[0], words, TEXTS[2]], stacks=["one | sw > one", "sw > names", "task/two"], batch_size=2
    )
    assert scores(first) == pytest.approx(scores(model.predict(TEXTS[0], stack="one | sw > one")), abs=1e-6)
    assert tags == model.predict([words], stack="sw > names")[0]
    assert scores(last) == pytest.approx(scores(model.predict(TEXTS[2], stack="task/two")), abs=1e-6)


def scores(answer: PredictedLabel) -> list[float]:
    return list(answer.probabilities.values())


def test_all_stacks_of_all_rows_are_one_batch(model: AdaptedModel) -> None:
    sizes: list[int] = []
    handle = model.network.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    model.predict(["goat", "goats", ["rain"]], stacks=["task/one | language/sw > task/one", "task/two", "names"])
    handle.remove()
    assert len(sizes) == 1


def test_an_input_that_is_none_is_named_by_its_own_number(model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match="row 2 of the inputs"):
        model.predict(["goat", 3], stack="one | sw > one | two")


def test_what_was_looked_up_stays_as_it_was(model: AdaptedModel) -> None:
    pinned = model.pinned_ensemble("one | sw > one")
    before = model.predict(TEXTS, stack="one | sw > one")
    model.swap(random_adapter(model, AdapterConfig(method=LORA), name="sw", seed=8))
    assert model.predict(TEXTS, stack="one | sw > one") != before
    assert model.predict(TEXTS, stack=pinned) == model.predict(TEXTS, stacks=[pinned] * 3) == before


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
        ("task/one | task/three", "labels: goats, rain; and classification, labels: goats, food"),
        ("names | sw > names", "tagging.* have no mean; .* classification"),
        ("task/one | one", "has task/one twice"),
        ("one | sw", "language/sw"),
        ("one | nobody", "nobody"),
        (["one", "sw > one"], "write 'one > sw > one', or for an ensemble 'one | sw > one'"),
    ],
)
def test_what_has_no_mean_is_refused(asked: str | list[str], why: str, model: AdaptedModel) -> None:
    for rows in ([], TEXTS):
        with pytest.raises(AdaptkitError, match=why):
            model.predict(rows, stack=asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("asked", ["one | sw > one", Ensemble("one", "sw > one")])
@pytest.mark.parametrize(
    "ask",
    [
        lambda model, it: model.encode(TEXTS, stack=it),
        lambda model, it: model.encode(TEXTS[:1], stacks=[it]),
        lambda model, it: model.explain(TEXTS[0], stack=it),
        lambda model, it: model.fill_mask("a [MASK]", stack=it),
        lambda model, it: model.fill_mask("a [MASK]", by=it),
        lambda model, it: model.search_index(TEXTS, stack=it),
        lambda model, it: model.pinned(it),
        lambda model, it: model.head_of(it),
        lambda model, it: model.bound(it),
        lambda model, it: model.use_banks(it),
        lambda model, it: merge(model, it),
        lambda model, it: export_peft_stack(model, it, "nowhere"),
        lambda model, it: export_onnx(model, it, "nowhere"),
        lambda model, it: as_transformers(model, it),
        lambda model, it: as_pipeline(model, it),
        lambda model, it: as_sentence_transformer(model, it),
        lambda model, it: project_entities(parallel=[("mbuzi", "goat")], lang="sw", names=it, backbone=model),
    ],
)
def test_an_ensemble_can_be_asked_for_answers_alone(
    model: AdaptedModel, asked: str | Ensemble, ask: Callable[[AdaptedModel, Any], object]
) -> None:
    with pytest.raises(ConfigError, match=r"'one \| sw > one' is an ensemble, which can be asked for answers alone"):
        ask(model, asked)
