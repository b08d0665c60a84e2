"""Whole-model outputs of stacks equal those of a network into which the same adapters are written plainly."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from adaptkit.composition import Average, Stack
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, LoraConfig
from adaptkit.model import AdaptedModel, StackLike
from tests.adapters import attach_random
from tests.parity import plain
from tests.tiny import tiny_model, tiny_network

TEXTS = ["Habari ya asubuhi", "The goat sleeps.", "Akuya"]
LANGUAGE, DOMAIN, TASK = "language/sw", "domain/news", "task/topics"
ALL = Stack(LANGUAGE, DOMAIN, TASK)

# Ranks, scalings and sites all differ. The last number is the scale: 8 / 4, 6 / sqrt(4), 3 / 2.
LORAS: dict[str, tuple[LoraConfig, list[str], float]] = {
    LANGUAGE: (
        LoraConfig(rank=4, alpha=8),
        [
            f"encoder.layer.{block}.{module}"
            for block in (0, 1)
            for module in (
                "attention.self.query",
                "attention.self.key",
                "attention.self.value",
                "attention.output.dense",
                "intermediate.dense",
                "output.dense",
            )
        ],
        2.0,
    ),
    DOMAIN: (
        LoraConfig(rank=4, alpha=6, scaling="rank_stabilized", sites=("ffn.input", "ffn.output")),
        [f"encoder.layer.{block}.{module}" for block in (0, 1) for module in ("intermediate.dense", "output.dense")],
        3.0,
    ),
    TASK: (
        LoraConfig(rank=2, alpha=3, sites=("attention.query", "ffn.output"), blocks=(1,)),
        ["encoder.layer.1.attention.self.query", "encoder.layer.1.output.dense"],
        1.5,
    ),
}
BOTTLENECKS: dict[str, tuple[BottleneckConfig, list[str]]] = {
    LANGUAGE: (
        BottleneckConfig(reduction_factor=4, sites=("attention.residual", "block.output")),
        [f"encoder.layer.{block}.{part}.LayerNorm" for block in (0, 1) for part in ("attention.output", "output")],
    ),
    DOMAIN: (BottleneckConfig(reduction_factor=8), [f"encoder.layer.{block}.output.LayerNorm" for block in (0, 1)]),
    TASK: (BottleneckConfig(reduction_factor=2, blocks=(1,)), ["encoder.layer.1.output.LayerNorm"]),
}


@pytest.fixture
def model() -> AdaptedModel:
    return tiny_model()


def ours(model: AdaptedModel, stack: StackLike) -> Tensor:
    with torch.no_grad(), model.active(stack):
        states: Tensor = model(*model.backbone.pad(model.backbone.tokenize(TEXTS)))
    return states


def written(model: AdaptedModel, network: PreTrainedModel) -> Tensor:
    return plain.hidden_states(network, *model.backbone.pad(model.backbone.tokenize(TEXTS)))


def assert_equal(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def assert_differ(found: Tensor, other: Tensor) -> None:
    error = plain.relative_error(found, other)
    assert error > 0.02, f"only {error:.2g} apart, so that the test could not tell them apart"


def attach_lora(model: AdaptedModel, adapter_id: str, seed: int) -> dict[str, Tensor]:
    """Attach one of the LoRAs, and give what it adds to each module's weights."""
    config, paths, scale = LORAS[adapter_id]
    layers = attach_random(model, adapter_id, AdapterConfig(method=config), seed=seed)
    return plain.lora_change(layers.named_tensors(), paths, scale=scale)


def attach_bottleneck(model: AdaptedModel, adapter_id: str, seed: int) -> dict[str, Tensor]:
    """Attach one of the bottlenecks, and give its tensors."""
    layers = attach_random(model, adapter_id, AdapterConfig(method=BOTTLENECKS[adapter_id][0]), seed=seed)
    return {name: tensor.detach() for name, tensor in layers.named_tensors().items()}


def network_with_bottlenecks(tensors: dict[str, dict[str, Tensor]], order: Sequence[str]) -> PreTrainedModel:
    network = tiny_network()
    for adapter_id in order:
        plain.append_bottlenecks(network, tensors[adapter_id], BOTTLENECKS[adapter_id][1])
    return network


def test_the_written_network_begins_as_the_same_backbone(model: AdaptedModel) -> None:
    assert torch.equal(ours(model, None), written(model, tiny_network()))


def test_a_stack_of_three_loras_adds_all_their_changes(model: AdaptedModel) -> None:
    changes = {adapter_id: attach_lora(model, adapter_id, seed) for seed, adapter_id in enumerate(LORAS)}
    stacked = ours(model, ALL)
    assert_equal(stacked, written(model, plain.add_to_weights(tiny_network(), *changes.values())))
    for left_out in LORAS:
        rest = [change for adapter_id, change in changes.items() if adapter_id != left_out]
        assert_differ(written(model, plain.add_to_weights(tiny_network(), *rest)), stacked)


@pytest.mark.parametrize("parts", [(LANGUAGE,), (LANGUAGE, DOMAIN), (LANGUAGE, TASK), (DOMAIN, TASK)])
def test_what_is_attached_and_not_in_the_stack_does_nothing(model: AdaptedModel, parts: tuple[str, ...]) -> None:
    changes = {adapter_id: attach_lora(model, adapter_id, seed) for seed, adapter_id in enumerate(LORAS)}
    expected = plain.add_to_weights(tiny_network(), *(changes[part] for part in parts))
    assert_equal(ours(model, Stack(*parts)), written(model, expected))


def test_a_stack_of_three_bottlenecks_runs_one_after_the_other(model: AdaptedModel) -> None:
    tensors = {adapter_id: attach_bottleneck(model, adapter_id, seed) for seed, adapter_id in enumerate(BOTTLENECKS)}
    stacked = ours(model, ALL)
    assert_equal(stacked, written(model, network_with_bottlenecks(tensors, [LANGUAGE, DOMAIN, TASK])))
    for other in ([TASK, DOMAIN, LANGUAGE], [DOMAIN, TASK], [LANGUAGE, TASK], [LANGUAGE, DOMAIN]):
        assert_differ(written(model, network_with_bottlenecks(tensors, other)), stacked)


@pytest.mark.parametrize("bottleneck", [LANGUAGE, DOMAIN, TASK])
def test_a_mixed_stack_changes_weights_and_appends_bottlenecks(model: AdaptedModel, bottleneck: str) -> None:
    tensors = attach_bottleneck(model, bottleneck, seed=5)
    changes = [
        attach_lora(model, adapter_id, seed) for seed, adapter_id in enumerate(LORAS) if adapter_id != bottleneck
    ]
    network = plain.add_to_weights(tiny_network(), *changes)
    stacked, without = ours(model, ALL), written(model, network)
    plain.append_bottlenecks(network, tensors, BOTTLENECKS[bottleneck][1])
    assert_equal(stacked, written(model, network))
    assert_differ(without, stacked)


def test_a_mixed_stack_with_two_bottlenecks_keeps_their_order(model: AdaptedModel) -> None:
    tensors = {
        adapter_id: attach_bottleneck(model, adapter_id, seed) for seed, adapter_id in enumerate((LANGUAGE, TASK))
    }
    change = attach_lora(model, DOMAIN, seed=7)
    expected, swapped = (
        written(model, plain.add_to_weights(network_with_bottlenecks(tensors, order), change))
        for order in ([LANGUAGE, TASK], [TASK, LANGUAGE])
    )
    assert_equal(ours(model, ALL), expected)
    assert_differ(swapped, expected)


def test_a_fresh_task_lora_on_top_leaves_the_language_lora_intact(model: AdaptedModel) -> None:
    # Fed into each other, as in AdapterHub's Stack, the two would give the bare backbone.
    change = attach_lora(model, LANGUAGE, seed=1)
    model.attach_layers(TASK, AdapterConfig(method=LoraConfig(rank=4)))
    stacked = ours(model, Stack(LANGUAGE, TASK))
    assert_equal(stacked, written(model, plain.add_to_weights(tiny_network(), change)))
    assert_differ(ours(model, None), stacked)


@pytest.mark.parametrize("adapter_id", [LANGUAGE, DOMAIN], ids=["standard", "rank stabilized"])
def test_an_average_of_one_lora_at_weight_one_is_that_lora(model: AdaptedModel, adapter_id: str) -> None:
    change = attach_lora(model, adapter_id, seed=1)
    averaged = ours(model, Average({adapter_id: 1.0}))
    assert torch.equal(averaged, ours(model, adapter_id))
    assert_equal(averaged, written(model, plain.add_to_weights(tiny_network(), change)))
    assert_differ(ours(model, None), averaged)


def test_an_average_of_two_loras_below_a_third_adds_their_weighted_changes(model: AdaptedModel) -> None:
    one, other, task = (attach_lora(model, adapter_id, seed) for seed, adapter_id in enumerate(LORAS))
    stack = Stack(Average({LANGUAGE: 0.7, DOMAIN: 0.4}), TASK)
    shares = ({path: weight * delta for path, delta in change.items()} for change, weight in ((one, 0.7), (other, 0.4)))
    assert_equal(ours(model, stack), written(model, plain.add_to_weights(tiny_network(), *shares, task)))


def test_an_average_of_one_bottleneck_at_weight_one_is_that_bottleneck(model: AdaptedModel) -> None:
    tensors = {LANGUAGE: attach_bottleneck(model, LANGUAGE, seed=1)}
    averaged = ours(model, Average({LANGUAGE: 1.0}))
    assert_equal(averaged, written(model, network_with_bottlenecks(tensors, [LANGUAGE])))
    assert_differ(ours(model, None), averaged)
