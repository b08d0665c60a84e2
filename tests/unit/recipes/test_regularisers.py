"""Regularisers of a task: how they are asked for, and what a training with them is."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import adaptkit
from adaptkit.errors import CheckpointError, ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.heads.batch import Batch
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.recipes import train_adapter as train
from adaptkit.regularisers import REGULARISERS, FeatureDistillation, RDrop, regularisers_named
from adaptkit.requests import Run, request_of
from adaptkit.storage import Adapter
from adaptkit.training.regularisers.feature_distillation import FeatureDistillationTraining
from adaptkit.training.step import TrainingStep
from tests.adapters import random_adapter
from tests.calls import estimate_adapter, task_request, train_adapter
from tests.runs import train_and_interrupt
from tests.tiny import tiny_model
from tests.unit.heads import examples as made

QUICK: dict[str, Any] = {"task": "trial", "max_steps": 14, "batch_size": 8, "learning_rate": 5e-3, "progress": False}
TEXT = [f"The bucket leaks, and water is lost, {number}." for number in range(30)]
EACH: dict[str, dict[str, Any]] = {
    "r_drop": {"r_drop": 1.0},
    "feature_distillation": {"feature_distillation": 0.5},
    "both": {"r_drop": 1.0, "feature_distillation": 0.5},
    "coral": {"coral": 5.0, "unlabelled": TEXT},
    "dann": {"dann": 0.5, "unlabelled": TEXT},
}


def trained(**more: Any) -> Adapter:  # noqa: ANN401
    return train_adapter(**{**QUICK, "data": made.topics(), "backbone": tiny_model(), **more})


@pytest.fixture(scope="module")
def plain() -> Adapter:
    return trained(dropout=0.2)


@pytest.mark.parametrize("name", EACH)
def test_a_training_with_it_is_another_one_and_its_card_says_so(name: str, plain: Adapter) -> None:
    adapter = trained(dropout=0.2, **EACH[name])
    assert adapter.weights_sha256 != plain.weights_sha256
    assert adapter.training is not None
    assert plain.training is not None
    weights = {option: value for option, value in EACH[name].items() if option in REGULARISERS}
    assert weights.items() <= adapter.training.settings.items()
    assert "unlabelled" not in adapter.training.settings
    assert not EACH[name].keys() & plain.training.settings.keys()
    # What is measured is the task alone, so that a run with it can be set beside one without.
    assert adapter.training.heldout_loss_before == plain.training.heldout_loss_before


def test_a_weight_of_0_is_off(plain: Adapter) -> None:
    assert trained(dropout=0.2, r_drop=0.0, feature_distillation=0.0).weights_sha256 == plain.weights_sha256


@pytest.mark.parametrize("name", EACH)
def test_gradient_checkpointing_changes_nothing(name: str) -> None:
    kept, recomputed = (trained(gradient_checkpointing=on, **EACH[name]) for on in (False, True))
    for key, tensor in kept.tensors.items():
        torch.testing.assert_close(recomputed.tensors[key], tensor, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", EACH)
def test_an_interrupted_training_ends_as_one_that_was_not(name: str, tmp_path: Path) -> None:
    whole = trained(dropout=0.2, **EACH[name])
    asked = {**QUICK, "data": made.topics(), "dropout": 0.2, "output": tmp_path / "trial", **EACH[name]}
    train_and_interrupt(after=11, backbone=tiny_model(), **asked)
    resumed = train_adapter(**asked, backbone=tiny_model(), resume=True)
    assert resumed.weights_sha256 == whole.weights_sha256


def way(adapter: Adapter) -> float:
    """How far the sentence vectors of an adapter's task are from the frozen ones."""
    model = tiny_model()
    model.attach(adapter)
    texts = [example.text for example in made.topic_texts(16)]
    return float((model.encode(texts, stack=adapter.id) - model.encode(texts)).norm())


def test_features_stay_nearer_to_the_frozen_ones() -> None:
    assert way(trained(feature_distillation=10.0)) < 0.5 * way(trained())


def test_the_frozen_stack_is_that_below_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Tensor, Batch]] = []
    penalty = FeatureDistillationTraining.penalty

    def watched(self: FeatureDistillationTraining, hidden: Tensor, outputs: Tensor, batch: Batch) -> Tensor:
        seen.append((hidden.detach(), batch))
        return penalty(self, hidden, outputs, batch)

    monkeypatch.setattr(FeatureDistillationTraining, "penalty", watched)
    model = tiny_model()
    sw, en = (
        replace(random_adapter(model, AdapterConfig(method=LoraConfig(rank=2)), name=tag, seed=seed), language=tag)
        for seed, tag in enumerate(("sw", "en"))
    )
    asked = QUICK | {"max_steps": 1, "precision": "fp32", "feature_distillation": 0.1}
    train_adapter(**asked, data=made.topics(), backbone=model, on=(sw, en))
    # A fresh LoRA adds nothing, so that the first states are the frozen ones.
    (hidden, batch) = seen[0]
    assert batch.frozen is not None
    assert torch.equal(batch.frozen, hidden)
    assert batch.language in {"sw", "en"}
    assert not batch.frozen.requires_grad
    model.attach(sw, en)
    with torch.no_grad(), model.active(f"language/{batch.language}"):
        torch.testing.assert_close(model(batch.ids, batch.mask), batch.frozen)


def test_r_drop_reads_each_batch_twice_and_the_plan_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    states = TrainingStep._states

    def counted(self: TrainingStep, batch: Batch, *others: Any) -> Tensor:  # noqa: ANN401
        rows.append(len(batch.ids))
        return states(self, batch, *others)

    monkeypatch.setattr(TrainingStep, "_states", counted)
    plan = estimate_adapter(**QUICK, data=made.topics(), backbone=tiny_model(), r_drop=1.0).plan
    assert max(rows) == 16
    assert "R-Drop (weight 1): every batch is computed twice, which doubles the cost of a step" in plan


def test_they_are_asked_for_by_values_or_names() -> None:
    assert regularisers_named("r_drop") == (RDrop(),)
    assert regularisers_named(["feature_distillation", RDrop(weight=2.0)]) == (RDrop(weight=2.0), FeatureDistillation())
    assert regularisers_named([RDrop(weight=0.0), FeatureDistillation(weight=0.2)]) == (
        FeatureDistillation(weight=0.2),
    )
    flat = request_of({"task": "t", "data": ["a.tsv"], "r_drop": 2.0})
    assert flat == task_request(task="t", data=["a.tsv"], r_drop=2.0)
    assert flat.record()["r_drop"] == 2.0
    assert "feature_distillation" not in flat.record()
    adapter = train(
        task="trial",
        data=made.topics(),
        backbone=tiny_model(),
        run=Run(max_steps=2, progress=False),
        regularisers=adaptkit.RDrop(weight=0.5),
    )
    assert adapter.training is not None
    assert adapter.training.settings["r_drop"] == 0.5


def test_a_card_names_their_papers(tmp_path: Path) -> None:
    trained(r_drop=1.0, feature_distillation=0.1, coral=1.0, unlabelled=TEXT, max_steps=1).save(tmp_path / "trial")
    card = (tmp_path / "trial" / "README.md").read_text(encoding="utf-8")
    for row in REGULARISERS.values():
        assert (f"Method: {row.paper}." in card) is (row.name != "dann")
    assert "topics; a list of 30 sentences, without labels" in card


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("rdrop", "regulariser is r_drop, .* Did you mean 'r_drop'"),
        ([RDrop(), "r_drop"], "regularisers has r_drop twice"),
        (RDrop, "found <class"),
        (7, "such as adaptkit.RDrop"),
    ],
)
def test_what_is_no_regulariser_is_refused(asked: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(ConfigError, match=message):
        train(task="t", data=made.topics(), backbone=tiny_model(), regularisers=asked)


def test_what_does_not_go_together_is_refused() -> None:
    model: AdaptedModel = tiny_model()
    quick = {**QUICK, "backbone": model}
    with pytest.raises(ConfigError, match=r"r_drop goes with .* head of similarity; .* take feature_distillation"):
        train_adapter(**quick, data=made.similar(), r_drop=1.0)
    with pytest.raises(ConfigError, match="feature_distillation needs layers that train: with method='head'"):
        train_adapter(**quick, data=made.topics(), method="head", feature_distillation=0.1)
    with pytest.raises(ConfigError, match="drop_top_layer=True takes them out there"):
        train_adapter(**quick, data=made.topics(), drop_top_layer=True, feature_distillation=0.1)
    with pytest.raises(ConfigError, match="weight must be a finite number, found nan"):
        RDrop(weight=float("nan"))
    with pytest.raises(ConfigError, match="regularisers does not go with a language adapter"):
        train(lang="sw", regularisers="r_drop")
    with pytest.raises(ConfigError, match=r"r_drop does not go with a language adapter \(say task=\.\.\."):
        request_of({"lang": "sw", "r_drop": 1.0})
    with pytest.raises(ConfigError, match=r"give it in regularisers=RDrop\(weight=\.\.\.\)"):
        train(task="t", data=made.topics(), r_drop=1.0)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="coral and dann do not go together"):
        train_adapter(**quick, data=made.topics(), coral=1.0, dann=1.0, unlabelled=TEXT)
    with pytest.raises(
        ConfigError, match=r"unlabelled does nothing by itself: give a weight too, coral=\.\.\. or dann="
    ):
        train_adapter(**quick, data=made.topics(), unlabelled=TEXT)
    with pytest.raises(ConfigError, match="coral needs layers that train"):
        train_adapter(**quick, data=made.topics(), method="head", coral=1.0, unlabelled=TEXT)
    assert model.attached == ()


def test_a_shell_names_the_text_of_the_target_domain_in_files(tmp_path: Path) -> None:
    flat = {"task": "t", "data": ["a.tsv"], "coral": 2.0, "unlabelled": str(tmp_path / "there.txt")}
    request = request_of(flat)
    assert isinstance(request, adaptkit.TaskRequest)
    assert request.regularisers == (adaptkit.Coral(weight=2.0, unlabelled=str(tmp_path / "there.txt")),)
    assert str(tmp_path) not in str(request.record())


def test_another_text_is_another_run(tmp_path: Path) -> None:
    asked = {**QUICK, "data": made.topics(), "output": tmp_path / "trial", "coral": 1.0}
    train_and_interrupt(after=11, backbone=tiny_model(), unlabelled=TEXT, **asked)
    with pytest.raises(CheckpointError, match="content was"):
        train_adapter(**asked, backbone=tiny_model(), unlabelled=TEXT[:-1], resume=True)


def test_the_plan_says_what_is_read_beside_the_labels() -> None:
    plan = estimate_adapter(**QUICK, data=made.topics(), backbone=tiny_model(), dann=0.1, unlabelled=TEXT).plan
    (told,) = [line for line in plan if line.startswith("domain-adversarial training (weight 0.1)")]
    assert told.endswith("doubles the cost of a step; 30 of them, from a list of 30 sentences")


def apart(adapter: Adapter) -> float:
    """How well a line tells the domains apart by the sentence vectors: the distance of centres, in spreads."""
    model = tiny_model()
    model.attach(adapter)
    texts = [example.text for example in made.topic_texts(40)]
    ours, theirs = model.encode(texts, stack=adapter.id), model.encode(TEXT, stack=adapter.id)
    return float((ours.mean(dim=0) - theirs.mean(dim=0)).norm() / torch.cat([ours, theirs]).std(dim=0).norm())


def test_features_of_two_domains_get_nearer_to_each_other() -> None:
    longer = {"max_steps": 40, "batch_size": 16}
    assert apart(trained(coral=1.0, unlabelled=TEXT, **longer)) < 0.8 * apart(trained(**longer))


def test_each_is_told_by_the_words_of_its_row() -> None:
    for row in REGULARISERS.values():
        assert row.name in adaptkit.REGULARISERS
        assert row.paper
        assert row.cost
