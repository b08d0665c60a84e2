"""What AdapterHub's `adapters` 1.3.0 computes, where it is right and where it is not.

The numbers are those of `adapterhub/recorded.json`; `adapterhub/record.py` says how to record them again.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel, PreTrainedModel

from adaptkit.backbones import Backbone
from adaptkit.composition import Average, Stack
from adaptkit.config import ENCODER_LINEAR_SITES
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, LoraConfig
from adaptkit.model import AdaptedModel, StackLike
from tests.parity import plain
from tests.parity.adapterhub import formula
from tests.tiny import tiny_tokenizer

# AdapterHub has no LoRA at the linear module after attention.
WIDE_SITES = tuple(site for site in ENCODER_LINEAR_SITES if site != "attention.output")
ATTENTION = AdapterConfig(method=LoraConfig(rank=formula.RANK, alpha=formula.ALPHA, sites=WIDE_SITES[:3]))
WIDE = AdapterConfig(method=LoraConfig(rank=formula.RANK, alpha=formula.ALPHA, sites=WIDE_SITES))
BOTTLENECK = AdapterConfig(
    method=BottleneckConfig(reduction_factor=formula.REDUCTION_FACTOR, sites=("attention.residual", "block.output"))
)
CONFIGS = {
    "lora_a": ATTENTION,
    "lora_b": ATTENTION,
    "lora_wide_a": WIDE,
    "lora_wide_b": WIDE,
    "bottleneck_a": BOTTLENECK,
    "bottleneck_b": BOTTLENECK,
}
ATTENTION_MODULES = [f"encoder.layer.{block}.attention.self.{m}" for block in (0, 1) for m in ("query", "key", "value")]
FFN_MODULES = [f"encoder.layer.{block}.{module}.dense" for block in (0, 1) for module in ("intermediate", "output")]
RECORDED = json.loads((Path(__file__).parent / "adapterhub" / "recorded.json").read_text(encoding="utf-8"))


def formula_network() -> PreTrainedModel:
    network = BertModel(BertConfig(**formula.BERT), add_pooling_layer=False)
    formula.fill_backbone(network)
    network.train(mode=False)
    network.requires_grad_(requires_grad=False)
    return network


def formula_backbone() -> Backbone:
    network, tokenizer = formula_network(), tiny_tokenizer()
    return Backbone(name="formula", release="formula", text_prefix="", network=network, tokenizer=tokenizer)


@pytest.fixture(scope="module")
def model() -> AdaptedModel:
    model = AdaptedModel(formula_backbone())
    with torch.no_grad():
        for adapter, config in CONFIGS.items():
            for name, tensor in model.attach_layers(f"language/{adapter}", config).named_tensors().items():
                tensor.copy_(formula.adapter_values(adapter, name, tensor.shape))
    model.attach_layers("task/lora_fresh", ATTENTION)
    return model


def of_real_tokens(states: Tensor) -> Tensor:
    return torch.cat([sentence[: len(row)] for sentence, row in zip(states, formula.INPUTS, strict=True)])


def ours(model: AdaptedModel, stack: StackLike) -> Tensor:
    with torch.no_grad(), model.active(stack):
        return of_real_tokens(model(*model.backbone.pad(formula.INPUTS)))


def written(model: AdaptedModel, network: PreTrainedModel) -> Tensor:
    return of_real_tokens(plain.hidden_states(network, *model.backbone.pad(formula.INPUTS)))


def theirs(setup: str) -> Tensor:
    return torch.cat([torch.tensor(sentence) for sentence in RECORDED["outputs"][setup]])


def lora_change(adapter: str, modules: list[str]) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for path in modules:
        out_width, in_width = formula_network().get_parameter(f"{path}.weight").shape
        for matrix, shape in (("A", (formula.RANK, in_width)), ("B", (out_width, formula.RANK))):
            name = f"{path}.lora_{matrix}.weight"
            tensors[name] = formula.adapter_values(adapter, name, torch.Size(shape))
    return plain.lora_change(tensors, modules, scale=formula.ALPHA / formula.RANK)


def bottleneck(adapter: str, path: str) -> plain.PlainBottleneck:
    hidden = formula.BERT["hidden_size"]
    width = hidden // formula.REDUCTION_FACTOR
    shapes = {"down.weight": (width, hidden), "down.bias": (width,), "up.weight": (hidden, width), "up.bias": (hidden,)}
    tensors = {
        f"{path}.{weight}": formula.adapter_values(adapter, f"{path}.{weight}", torch.Size(shape))
        for weight, shape in shapes.items()
    }
    return plain.PlainBottleneck(tensors, path)


def as_in_theirs(one: nn.Module, other: nn.Module, norm: nn.Module) -> Callable[..., object]:
    """A hook on a sublayer `norm(dense(x) + residual)`."""

    def hook(_: nn.Module, args: tuple[Tensor, Tensor], output: Tensor) -> object:
        return other(norm(one(output) + args[1]))

    return hook


def assert_equal(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def assert_differ(found: Tensor, other: Tensor) -> None:
    assert plain.relative_error(found, other) > 0.05


def test_the_recording_is_of_the_version_that_these_tests_speak_of() -> None:
    assert RECORDED["versions"]["adapters"] == "1.3.0"


def test_the_bare_backbones_are_the_same(model: AdaptedModel) -> None:
    assert_equal(ours(model, None), theirs("bare"))


@pytest.mark.parametrize("adapter", ["lora_a", "lora_b", "lora_wide_a", "bottleneck_a", "bottleneck_b"])
def test_one_adapter_gives_the_same_hidden_states(model: AdaptedModel, adapter: str) -> None:
    assert_equal(ours(model, f"language/{adapter}"), theirs(adapter))
    assert_differ(theirs("bare"), theirs(adapter))


def test_their_stack_feeds_one_lora_into_the_other(model: AdaptedModel) -> None:
    # W x + B_b A_b (B_a A_a x), each scaled; ours is W x + B_a A_a x + B_b A_b x.
    one, other = (lora_change(adapter, ATTENTION_MODULES) for adapter in ("lora_a", "lora_b"))
    fed = plain.add_to_weights(formula_network(), {path: other[path] @ one[path] for path in ATTENTION_MODULES})
    assert_equal(theirs("stack(lora_a, lora_b)"), written(model, fed))
    stacked = ours(model, Stack("language/lora_a", "language/lora_b"))
    assert_equal(stacked, written(model, plain.add_to_weights(formula_network(), one, other)))
    assert_differ(theirs("stack(lora_a, lora_b)"), stacked)


def test_under_a_fresh_lora_theirs_is_the_bare_backbone_and_ours_keeps_the_adapter(model: AdaptedModel) -> None:
    assert torch.equal(theirs("stack(lora_a, lora_fresh)"), theirs("bare"))
    assert_equal(ours(model, Stack("language/lora_a", "task/lora_fresh")), theirs("lora_a"))


def test_loras_on_all_linear_modules_stack_in_ours_only(model: AdaptedModel) -> None:
    # What the first gives is as wide as the feed-forward layer, and the second expects the hidden width.
    assert "shapes cannot be multiplied" in RECORDED["errors"]["stack(lora_wide_a, lora_wide_b)"]
    changes = [lora_change(adapter, ATTENTION_MODULES + FFN_MODULES) for adapter in ("lora_wide_a", "lora_wide_b")]
    expected = written(model, plain.add_to_weights(formula_network(), *changes))
    assert_equal(ours(model, Stack("language/lora_wide_a", "language/lora_wide_b")), expected)


def test_their_average_divides_by_the_number_of_adapters_twice(model: AdaptedModel) -> None:
    assert_equal(theirs("average(lora_a)"), ours(model, Average({"language/lora_a": 1.0})))
    half_of_it = ours(model, Average({"language/lora_a": 0.25, "language/lora_b": 0.25}))
    assert_equal(theirs("average(lora_a, lora_b)"), half_of_it)
    assert_differ(half_of_it, ours(model, Average("language/lora_a", "language/lora_b")))


def test_between_bottlenecks_theirs_repeats_the_residual_and_the_layer_norm(model: AdaptedModel) -> None:
    network = formula_network()
    for block in (0, 1):
        for part in ("attention.output", "output"):
            path = f"encoder.layer.{block}.{part}"
            one, other = (bottleneck(adapter, f"{path}.LayerNorm") for adapter in ("bottleneck_a", "bottleneck_b"))
            hook = as_in_theirs(one, other, network.get_submodule(f"{path}.LayerNorm"))
            network.get_submodule(path).register_forward_hook(hook)
    assert_equal(theirs("stack(bottleneck_a, bottleneck_b)"), written(model, network))
    stacked = ours(model, Stack("language/bottleneck_a", "language/bottleneck_b"))
    assert_differ(theirs("stack(bottleneck_a, bottleneck_b)"), stacked)
