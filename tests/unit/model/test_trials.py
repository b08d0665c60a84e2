"""Which probes an adapter is tried on, and that it is refused whenever all of them would refuse it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from adaptkit.errors import ProbeMismatch
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.model.encoding import Encoder
from adaptkit.storage import Adapter
from tests.adapters import random_adapter
from tests.tiny import tiny_backbone, tiny_model

LORA = AdapterConfig(method=LoraConfig(rank=4, alpha=8))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens each row had that was replayed."""
    found: list[int] = []
    pooled = Encoder.pooled

    def noted(self: Encoder, ids: list[list[int]], *given: object, **options: object) -> Tensor:
        found.extend(map(len, ids))
        return pooled(self, ids, *given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Encoder, "pooled", noted)
    return found


@pytest.fixture
def three(model: AdaptedModel) -> list[Adapter]:
    return [random_adapter(model, LORA, name=name, seed=seed) for seed, name in enumerate(("sw", "ha", "yo"))]


def lengths(model: AdaptedModel) -> list[int]:
    return [len(ids) for ids in model.backbone.probe_inputs()]


def test_the_first_of_an_origin_is_tried_on_all_and_the_next_on_the_shortest(
    model: AdaptedModel, three: list[Adapter], read: list[int]
) -> None:
    short, *_ = every = lengths(model)
    model.attach(*three[:2])
    assert sorted(read) == sorted([*every, short])
    read.clear()
    model.attach(three[2])
    assert read == [short]
    read.clear()
    model.detach("yo")
    model.attach(three[2], replay=True)
    assert read == every


def test_other_methods_and_other_inputs_are_tried_on_all(
    model: AdaptedModel, three: list[Adapter], read: list[int]
) -> None:
    every = lengths(model)
    bottleneck = random_adapter(model, AdapterConfig(method=BottleneckConfig()), name="am", seed=5)
    fewer = replace(three[1], probes=three[1].probes[:2])
    model.attach(three[0])
    read.clear()
    model.attach(bottleneck, fewer)
    assert sorted(read) == sorted([*every, *every[:2]])


def test_what_the_shortest_leaves_in_doubt_is_tried_on_all(
    model: AdaptedModel, three: list[Adapter], read: list[int]
) -> None:
    """Off by more than a tenth of the bound, by less than the bound: as before, it is taken."""
    short, *_ = every = lengths(model)
    vector = three[1].probes[0].vector
    length = sum(value**2 for value in vector) ** 0.5
    moved = (replace(three[1].probes[0], vector=(vector[0] + 5e-4 * length, *vector[1:])), *three[1].probes[1:])
    model.attach(three[0])
    read.clear()
    model.attach(replace(three[1], probes=moved))
    assert read == [short, *every]


def test_a_refused_one_has_proven_nothing_for_the_next(
    model: AdaptedModel, three: list[Adapter], read: list[int]
) -> None:
    every = lengths(model)
    wrong = replace(three[0], tensors={name: 1.1 * tensor for name, tensor in three[0].tensors.items()})
    with pytest.raises(ProbeMismatch):
        model.attach(wrong, three[1])
    read.clear()
    model.attach(three[1])
    assert read == every


def test_a_backbone_with_other_rows_that_only_a_longer_probe_reads() -> None:
    adapters = [random_adapter(tiny_model(), LORA, name=name, seed=seed) for seed, name in enumerate(("sw", "ha"))]
    backbone = tiny_backbone()
    backbone.fingerprint = tiny_backbone().fingerprint
    short, *longer = backbone.probe_inputs()
    only = sorted({token for ids in longer for token in ids} - set(short))
    with torch.no_grad():
        backbone.network.get_parameter("embeddings.word_embeddings.weight")[only] *= -1
    for one in (AdaptedModel(backbone), AdaptedModel(backbone)):
        with pytest.raises(ProbeMismatch):
            one.attach(*adapters)
        assert one.attached == ()


def _scaled(size: float) -> Callable[[Tensor], Tensor]:
    return lambda tensor: tensor * (1 + size)


def _shaken(size: float) -> Callable[[Tensor], Tensor]:
    return lambda tensor: tensor + size * torch.randn(tensor.shape, generator=torch.Generator().manual_seed(3))


def _one_entry(size: float) -> Callable[[Tensor], Tensor]:
    def changed(tensor: Tensor) -> Tensor:
        tensor = tensor.clone()
        tensor[0, 0] += 20 * size
        return tensor

    return changed


@pytest.mark.parametrize("change", [_scaled, _shaken, _one_entry])
def test_what_all_probes_refuse_is_refused_behind_another_too(
    model: AdaptedModel, three: list[Adapter], change: Callable[[float], Callable[[Tensor], Tensor]]
) -> None:
    """Changes of each tensor, from far below the bound to far above it."""
    first, adapter, _ = three
    model.attach(first)
    refused = 0
    for name in list(adapter.tensors)[::3]:
        for size in (1e-4, 1e-3, 1e-2):
            changed = {**adapter.tensors, name: change(size)(adapter.tensors[name])}
            by_all, behind = (_is_refused(model, replace(adapter, tensors=changed), replay) for replay in (True, False))
            assert by_all == behind, f"{name} by {size}"
            refused += by_all
    assert refused


def _is_refused(model: AdaptedModel, adapter: Adapter, replay: bool) -> bool:
    try:
        model.attach(adapter, replay=replay)
    except ProbeMismatch:
        return True
    model.detach(adapter.id)
    return False
