"""What is attached: names, plans, and replacing adapters while others serve."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch

from adaptkit import Average, Stack
from adaptkit.errors import AdapterExists, AmbiguousAdapter, ConfigError, ProbeMismatch, UnknownAdapter
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, FusionConfig, LoraConfig
from adaptkit.model import AdaptedModel, remembered
from adaptkit.task_types import HeadConfig
from tests.adapters import attach_random, random_adapter
from tests.tiny import tiny_model
from tests.tolerance import assert_equal_but_for_rounding

LORA = AdapterConfig(method=LoraConfig(rank=4, alpha=8))
BOTTLENECK = AdapterConfig(method=BottleneckConfig(reduction_factor=8))
TEXTS = ["Habari ya asubuhi", "The goat sleeps."]


def n_hooks(model: AdaptedModel) -> int:
    return sum(len(module._forward_hooks) for module in model.network.modules())


def test_a_module_has_one_hook_whatever_is_attached(model: AdaptedModel) -> None:
    attach_random(model, "language/sw", LORA)
    alone = n_hooks(model)
    for number in range(5):
        attach_random(model, f"language/x{number}", LORA)
    assert n_hooks(model) == alone
    attach_random(model, "task/topics", BOTTLENECK)
    assert n_hooks(model) == alone + 2
    model.detach("topics", *(f"x{number}" for number in range(5)))
    assert n_hooks(model) == alone
    model.detach("sw")
    assert n_hooks(model) == 0


def test_attaching_touches_nothing_of_the_others(model: AdaptedModel) -> None:
    """What was planned stays planned, and no adapter is looked at again."""
    attach_random(model, "language/sw", LORA)
    plan = model.plan("sw")
    attach_random(model, "language/ha", LORA)
    model.detach("ha")
    assert model.plan("sw") is plan


def test_a_bare_name_becomes_ambiguous_and_plain_again(model: AdaptedModel) -> None:
    attach_random(model, "language/sw", LORA)
    before = model.encode(TEXTS, stack="sw")
    attach_random(model, "domain/sw", LORA, seed=2)
    with pytest.raises(AmbiguousAdapter):
        model.encode(TEXTS, stack="sw")
    model.detach("language/sw")
    assert not torch.equal(model.encode(TEXTS, stack="sw"), before)
    with pytest.raises(UnknownAdapter):
        model.plan("language/sw")


def test_a_plan_of_a_fusion_goes_with_what_it_fuses(model: AdaptedModel) -> None:
    attach_random(model, "language/sw", LORA)
    attach_random(model, "language/ha", LORA, seed=2)
    fusion = FusionConfig(fuses=("language/sw", "language/ha"), width=4, sites=("attention.query",))
    attach_random(model, "language/both", AdapterConfig(method=fusion), seed=3)
    before = model.encode(TEXTS, stack="language/both")
    model.detach("ha")
    with pytest.raises(UnknownAdapter):
        model.encode(TEXTS, stack="language/both")
    attach_random(model, "language/ha", LORA, seed=5)
    assert not torch.equal(model.encode(TEXTS, stack="language/both"), before)


def test_a_plan_of_a_fusion_over_a_fusion_goes_with_what_that_fuses(model: AdaptedModel) -> None:
    for seed, name in enumerate(("sw", "ha", "yo")):
        attach_random(model, f"language/{name}", LORA, seed=seed)
    for name, fused in (("two", ("language/sw", "language/ha")), ("three", ("language/two", "language/yo"))):
        fusion = FusionConfig(fuses=fused, width=4, sites=("attention.query",))
        attach_random(model, f"language/{name}", AdapterConfig(method=fusion), seed=3)
    before = model.encode(TEXTS, stack="language/three")
    model.detach("ha")
    with pytest.raises(UnknownAdapter):
        model.encode(TEXTS, stack="language/three")
    attach_random(model, "language/ha", LORA, seed=5)
    assert not torch.equal(model.encode(TEXTS, stack="language/three"), before)


def test_no_more_plans_are_remembered_than_there_is_room_for(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "_MOST", 3)
    attach_random(model, "language/sw", LORA)
    attach_random(model, "language/ha", LORA, seed=2)
    stacks = [Stack(Average({"language/sw": 1 - share, "language/ha": share})) for share in (0.1, 0.2, 0.3, 0.4)]
    first = [model.encode(TEXTS, stack=stack) for stack in stacks]
    assert len(model._registry._remembered) <= 3
    assert all(torch.equal(model.encode(TEXTS, stack=stack), found) for stack, found in zip(stacks, first, strict=True))


def test_an_adapter_under_another_name(model: AdaptedModel) -> None:
    adapter = random_adapter(model, LORA)
    other = adapter.renamed("language/sw-2.1")
    model.attach(adapter, other)
    assert model.attached == ("language/sw", "language/sw-2.1")
    assert torch.equal(model.encode(TEXTS, stack="sw"), model.encode(TEXTS, stack="sw-2.1"))
    assert other.language == "sw"
    with pytest.raises(AdapterExists, match="swap"):
        model.attach(adapter)
    for wrong in ("task/sw", "sw", "language/"):
        with pytest.raises(ConfigError):
            adapter.renamed(wrong)


def test_swapping_is_replacing(model: AdaptedModel) -> None:
    first, second = random_adapter(model, LORA), random_adapter(model, BOTTLENECK, seed=7)
    model.attach(second)
    expected = model.encode(TEXTS, stack="sw")
    model.detach("sw")
    model.attach(first)
    stack = Stack("language/sw")
    old = model.encode(TEXTS, stack=stack)
    model.swap(second)
    assert torch.equal(model.encode(TEXTS, stack=stack), expected)
    assert model.attached_adapter("sw") is second
    model.swap(first)
    assert torch.equal(model.encode(TEXTS, stack=stack), old)
    model.detach("sw")
    assert n_hooks(model) == 0


def test_what_cannot_be_swapped_in_leaves_the_old_one(model: AdaptedModel) -> None:
    first, second = random_adapter(model, LORA), random_adapter(model, LORA, seed=7)
    with pytest.raises(UnknownAdapter):
        model.swap(first)
    model.attach(first)
    old = model.encode(TEXTS, stack="sw")
    broken = random_adapter(model, LORA, seed=8)
    object.__setattr__(broken, "probes", second.probes)
    with pytest.raises(ProbeMismatch):
        model.swap(broken)
    assert torch.equal(model.encode(TEXTS, stack="sw"), old)
    assert model.attached_adapter("sw") is first


def test_requests_under_load_have_the_old_adapter_or_the_new_one_whole() -> None:
    """Two versions take turns while threads encode; each answer is exactly one version's."""
    model = tiny_model()
    versions = [random_adapter(model, LORA, seed=seed) for seed in (1, 2)]
    model.attach(versions[0])
    right = [model.encode(TEXTS, stack="sw")]
    model.swap(versions[1])
    right.append(model.encode(TEXTS, stack="sw"))
    found: list[torch.Tensor] = []
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            found.append(model.encode(TEXTS, stack="sw"))

    threads = [threading.Thread(target=serve) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(60):
        model.swap(versions[turn % 2])
    stop.set()
    for thread in threads:
        thread.join()
    assert {any(torch.equal(vectors, version) for version in right) for vectors in found} == {True}


@contextmanager
def in_the_middle(model: AdaptedModel, change: Callable[[], None]) -> Iterator[None]:
    """`change` happens once, when the second forward pass of the network begins."""
    passes = iter(range(1000))
    handle = model.network.register_forward_pre_hook(lambda *_: change() if next(passes) == 1 else None)
    try:
        yield
    finally:
        handle.remove()


@pytest.mark.parametrize("many", [False, True])
def test_a_swap_in_the_middle_of_a_request_touches_neither_its_layers_nor_its_head(many: bool) -> None:
    model = tiny_model()
    config = replace(LORA, head=HeadConfig(task_type="classification", labels=("no", "yes")))
    old, new = [random_adapter(model, config, kind="task", name="topic", seed=seed) for seed in (1, 2)]
    asked: dict[str, Any] = {"stacks": ["task/topic", "topic"] * 3} if many else {"stack": "task/topic"}
    texts = [f"{text} {number}" for number, text in enumerate(TEXTS * 3)]
    model.attach(new)
    expected = model.predict(texts, batch_size=2, **asked)
    model.detach("topic")
    model.attach(old)
    before = model.predict(texts, batch_size=2, **asked)
    with in_the_middle(model, lambda: model.swap(new)):
        assert model.predict(texts, batch_size=2, **asked) == before
    assert model.predict(texts, batch_size=2, **asked) == expected != before


def test_detaching_in_the_middle_of_a_request_leaves_it_whole(model: AdaptedModel) -> None:
    attach_random(model, "language/sw", LORA)
    before = model.encode(TEXTS * 2, stack="sw", batch_size=1)
    with in_the_middle(model, lambda: model.detach("sw")):
        assert torch.equal(model.encode(TEXTS * 2, stack="sw", batch_size=1), before)
    assert n_hooks(model) == 0


def test_threads_with_different_stacks_at_once(model: AdaptedModel) -> None:
    names = [f"language/x{number}" for number in range(4)]
    for seed, name in enumerate(names):
        attach_random(model, name, LORA, seed=seed)
    right = {name: model.encode(TEXTS, stack=name) for name in names}
    wrong: list[str] = []

    def serve(name: str) -> None:
        wrong.extend(name for _ in range(20) if not torch.equal(model.encode(TEXTS, stack=name), right[name]))

    threads = [threading.Thread(target=serve, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_plans_follow_tensors_that_move(model: AdaptedModel) -> None:
    for seed, name in enumerate(("language/sw", "language/ha")):
        attach_random(model, name, LORA, seed=seed)
    before = model.encode(TEXTS, stacks=["sw", "ha"])
    model.double()
    with torch.no_grad():
        for parameter in model.adapters.parameters():
            parameter.mul_(1.0)
    torch.testing.assert_close(model.encode(TEXTS, stacks=["sw", "ha"]), before, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        for parameter in model.adapters.parameters():
            parameter.zero_()
    assert_equal_but_for_rounding(model.encode(TEXTS, stacks=["sw", "ha"]), model.encode(TEXTS))
