"""Adapters that are read from a zoo when a stack names them."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from adaptkit import Fuse, Stack
from adaptkit.errors import (
    AdapterExists,
    AmbiguousAdapter,
    MalformedConfig,
    NoHead,
    SourceNotFound,
    UnknownAdapter,
    WeightsChanged,
)
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.spec import RECORD_FILE, WEIGHTS_FILE
from adaptkit.methods import FusionConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig
from tests.adapters import random_adapter

LORA = AdapterConfig(method=LoraConfig(rank=4, alpha=8))
NAMES = [f"x{number}" for number in range(6)]
TEXTS = ["Habari ya asubuhi", "The goat sleeps."]


@pytest.fixture
def zoo(model: AdaptedModel, tmp_path: Path) -> Path:
    for seed, name in enumerate(NAMES):
        random_adapter(model, LORA, name="sw", seed=seed).renamed(f"language/{name}").save(tmp_path / "zoo" / name)
    random_adapter(model, LORA, kind="task", name="topics", seed=9).save(tmp_path / "zoo/deeper/topics")
    return tmp_path / "zoo"


def size_of_one(model: AdaptedModel) -> int:
    return random_adapter(model, LORA).size_bytes


def alone(model: AdaptedModel, zoo: Path, stack: str) -> torch.Tensor:
    fresh = AdaptedModel(model.backbone)
    fresh.attach_zoo(zoo)
    return fresh.encode(TEXTS, stack=stack)


def test_an_adapter_is_attached_when_a_stack_names_it(model: AdaptedModel, zoo: Path) -> None:
    ids = model.attach_zoo(zoo)
    assert set(ids) == {*(f"language/{name}" for name in NAMES), "task/topics"}
    assert not model.attached
    bare = model.encode(TEXTS)
    assert not torch.equal(model.encode(TEXTS, stack="language/x1 > task/topics"), bare)
    assert model.attached == ("language/x1", "task/topics")
    with pytest.raises(UnknownAdapter):
        model.encode(TEXTS, stack="language/x9")


def test_a_bare_name_is_enough_before_anything_is_read(model: AdaptedModel, zoo: Path) -> None:
    model.attach_zoo(zoo)
    found = model.encode(TEXTS, stack="x1 > topics")
    assert model.attached == ("language/x1", "task/topics")
    assert torch.equal(found, alone(model, zoo, "language/x1 > task/topics"))
    assert torch.equal(model.encode(TEXTS, stacks=["x2", "x3"])[1], alone(model, zoo, "language/x3")[1])


def test_a_bare_name_of_several_is_ambiguous_whichever_was_read(model: AdaptedModel, zoo: Path) -> None:
    random_adapter(model, LORA, kind="domain", name="x1", seed=12).save(zoo / "also")
    model.attach_zoo(zoo)
    for _ in range(2):
        with pytest.raises(AmbiguousAdapter, match=r"'x1' may mean .*domain/x1"):
            model.encode(TEXTS, stack="x1")
        model.encode(TEXTS, stack="language/x1")
    model.attach(random_adapter(model, LORA, kind="domain", name="x2", seed=13))
    with pytest.raises(AmbiguousAdapter, match=r"'x2' may mean domain/x2 or language/x2"):
        model.encode(TEXTS, stack="x2")


def test_bare_names_keep_what_they_name_within_the_cache(model: AdaptedModel, zoo: Path) -> None:
    model.attach_zoo(zoo, cache_bytes=1)
    assert torch.equal(model.encode(TEXTS, stack="x1"), alone(model, zoo, "language/x1"))
    assert model.attached == ("language/x1",)
    model.encode(TEXTS, stack="x2")
    assert model.attached == ("language/x2",)


def test_what_has_a_head_is_named_unread_too(model: AdaptedModel, zoo: Path) -> None:
    head = HeadConfig(task_type="classification", labels=("farming", "health"))
    random_adapter(model, replace(LORA, head=head), kind="task", name="farms", seed=3).save(zoo / "farms")
    model.attach_zoo(zoo)
    with pytest.raises(NoHead, match=r"in the model's zoo: task/farms\. Put one on top") as caught:
        model.predict(TEXTS, stack="x1")
    assert caught.value.heads == ("task/farms",)
    with pytest.raises(NoHead, match=r"No adapter with a head is attached"):
        AdaptedModel(model.backbone).predict(TEXTS)


def test_those_unused_for_longest_go_first(model: AdaptedModel, zoo: Path) -> None:
    model.attach_zoo(zoo, cache_bytes=2 * size_of_one(model))
    for name in ("x0", "x1", "x0", "x2"):
        model.encode(TEXTS, stack=f"language/{name}")
    assert model.attached == ("language/x0", "language/x2")
    again = model.encode(TEXTS, stack="language/x1")
    assert model.attached == ("language/x2", "language/x1")
    assert torch.equal(again, alone(model, zoo, "language/x1"))


def test_one_batch_may_need_more_than_the_cache_holds(model: AdaptedModel, zoo: Path) -> None:
    model.attach_zoo(zoo, cache_bytes=1)
    stacks = [f"language/{name}" for name in NAMES]
    found = model.encode(["Habari ya asubuhi"] * 6, stacks=stacks)
    expected = torch.cat([alone(model, zoo, stack)[:1] for stack in stacks])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert len(model.attached) == 1


def test_what_the_caller_attached_stays(model: AdaptedModel, zoo: Path) -> None:
    own = random_adapter(model, LORA, name="sw", seed=77).renamed("language/x3")
    model.attach(own)
    model.attach_zoo(zoo, cache_bytes=1)
    for name in NAMES:
        model.encode(TEXTS, stack=f"language/{name}")
    assert model.attached_adapter("language/x3") is own
    assert model.attached == ("language/x3", "language/x5")


def test_what_was_swapped_in_by_hand_stays(model: AdaptedModel, zoo: Path) -> None:
    own = random_adapter(model, LORA, name="sw", seed=77).renamed("language/x0")
    model.attach_zoo(zoo, cache_bytes=size_of_one(model))
    model.encode(TEXTS, stack="language/x0")
    model.swap(own)
    model.encode(TEXTS, stack="language/x1")
    assert model.attached_adapter("language/x0") is own
    model.encode(TEXTS, stack="language/x0 > task/topics")
    assert model.attached_adapter("language/x0") is own


def test_another_zoo_takes_the_place_of_the_first(model: AdaptedModel, zoo: Path, tmp_path: Path) -> None:
    other = random_adapter(model, LORA, name="sw", seed=77).renamed("language/x0")
    other.save(tmp_path / "other" / "x0")
    model.attach_zoo(zoo)
    before = model.encode(TEXTS, stack="language/x0")
    model.attach_zoo(tmp_path / "other")
    assert not model.attached
    assert not torch.equal(model.encode(TEXTS, stack="language/x0"), before)
    assert torch.equal(model.encode(TEXTS, stack="language/x0"), alone(model, tmp_path / "other", "language/x0"))


def test_a_fusion_over_a_fusion_brings_all_that_it_needs(model: AdaptedModel, zoo: Path) -> None:
    model.attach_zoo(zoo)
    model.plan("language/x0 > task/topics")
    model.plan("language/x1")
    model.plan("language/x2")
    for name, fused in (("aa", ("language/x0", "language/x1")), ("a", ("language/aa", "language/x2"))):
        fusion = FusionConfig(fuses=fused, width=4, sites=("attention.query",))
        made = random_adapter(model, AdapterConfig(method=fusion), name="sw").renamed(f"language/{name}")
        made.save(zoo / name)
        model.attach(made)
    expected = model.encode(TEXTS, stack="language/a")
    fresh = AdaptedModel(model.backbone)
    fresh.attach_zoo(zoo, cache_bytes=1)
    assert torch.equal(fresh.encode(TEXTS, stack="language/a"), expected)


def test_a_fusion_brings_what_it_fuses(model: AdaptedModel, zoo: Path) -> None:
    model.attach_zoo(zoo)
    model.plan("language/x0 > task/topics")
    model.plan("language/x1")
    fusion = FusionConfig(fuses=("language/x0", "language/x1"), width=4, sites=("attention.query",))
    random_adapter(model, AdapterConfig(method=fusion), name="sw").renamed("language/both").save(zoo / "both")
    fresh = AdaptedModel(model.backbone)
    fresh.attach_zoo(zoo, cache_bytes=1)
    first = fresh.encode(TEXTS, stack="language/both")
    fresh.encode(TEXTS, stack="language/x5")
    assert torch.equal(fresh.encode(TEXTS, stack="language/both"), first)
    assert torch.equal(fresh.encode(TEXTS, stack=Stack(Fuse("language/x0", "language/x1"))), first)


def test_layers_that_came_in_inference_mode_can_be_trained_on(model: AdaptedModel, zoo: Path) -> None:
    model.attach_zoo(zoo)
    with torch.inference_mode():
        model.encode(TEXTS, stack="language/x0")
    layers = model.attach_layers("task/new", LORA)
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    with model.active("language/x0 > task/new"):
        torch.autograd.backward(model(ids, mask).sum())
    assert all(parameter.grad is not None for parameter in layers.parameters())


def test_threads_that_need_more_than_the_cache_holds(model: AdaptedModel, zoo: Path) -> None:
    right = {name: alone(model, zoo, f"language/{name}") for name in NAMES}
    model.attach_zoo(zoo, cache_bytes=size_of_one(model))
    wrong: list[str] = []

    def serve(names: list[str]) -> None:
        for name in names * 4:
            found = model.encode(TEXTS, stack=f"language/{name}")
            if not torch.allclose(found, right[name], atol=1e-5):
                wrong.append(name)

    threads = [threading.Thread(target=serve, args=(NAMES[start:] + NAMES[:start],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_zoo_that_is_not_sound_is_refused(model: AdaptedModel, zoo: Path) -> None:
    with pytest.raises(SourceNotFound):
        model.attach_zoo(zoo / "nowhere")
    random_adapter(model, LORA, name="sw").renamed("language/x0").save(zoo / "twice")
    with pytest.raises(AdapterExists, match="twice"):
        model.attach_zoo(zoo)
    (zoo / "twice" / RECORD_FILE).write_text('{"format_version": 1}')
    with pytest.raises(MalformedConfig):
        model.attach_zoo(zoo)


def test_a_spoilt_adapter_is_refused_when_it_is_named(model: AdaptedModel, zoo: Path) -> None:
    weights = zoo / "x2" / WEIGHTS_FILE
    content = bytearray(weights.read_bytes())
    content[-3] ^= 1
    weights.write_bytes(content)
    model.attach_zoo(zoo)
    model.encode(TEXTS, stack="language/x1")
    with pytest.raises(WeightsChanged):
        model.encode(TEXTS, stack="language/x2")
    assert model.attached == ("language/x1",)
