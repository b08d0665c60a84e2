"""A backbone that torch.compile has compiled, under stacks that come and go."""

import pytest
import torch
from torch._dynamo.testing import CompileCounter

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, BottleneckMadxConfig, LoraConfig
from adaptkit.model import AdaptedModel, StackLike
from tests.adapters import attach_random
from tests.tiny import tiny_model

LORA = AdapterConfig(method=LoraConfig(rank=4, alpha=2))


def with_adapters() -> AdaptedModel:
    model = tiny_model()
    for seed, name in enumerate(["language/sw", "language/ha", "domain/news"]):
        attach_random(model, name, LORA, seed=seed)
    attach_random(model, "language/yo", AdapterConfig(method=BottleneckConfig(reduction_factor=8)))
    attach_random(model, "language/rw", AdapterConfig(method=BottleneckMadxConfig(width=4)))
    return model.eval()


@pytest.fixture
def model() -> AdaptedModel:
    return with_adapters()


def states(model: AdaptedModel, stacks: list[StackLike]) -> torch.Tensor:
    ids = torch.arange(32).view(4, 8) + 5
    with torch.inference_mode():
        result: torch.Tensor = model(ids, torch.ones_like(ids), stacks=stacks)
    return result


def test_another_stack_or_new_weights_compile_nothing_again(model: AdaptedModel) -> None:
    torch._dynamo.reset()
    plain, counter = with_adapters(), CompileCounter()
    model.network.compile(backend=counter)
    torch.testing.assert_close(states(model, ["sw"] * 4), states(plain, ["sw"] * 4))
    compiled = counter.frame_count
    assert compiled

    asked: list[list[StackLike]] = [
        ["ha"] * 4,
        ["sw > news"] * 4,
        ["yo"] * 4,
        ["sw", "ha", "yo > news", None],
        ["rw", "yo", None, "rw > news"],
        [None] * 4,
    ]
    for stacks in asked:
        torch.testing.assert_close(states(model, stacks), states(plain, stacks))
    for each in (model, plain):
        each.detach("language/sw")
        attach_random(each, "language/sw", LORA, seed=7)
    torch.testing.assert_close(states(model, ["sw"] * 4), states(plain, ["sw"] * 4))
    assert counter.frame_count == compiled


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # torch's own look at it
def test_gradients_of_inner_states_pass_through_a_compiled_backbone() -> None:
    torch._dynamo.reset()
    plain, compiled = tiny_model(), tiny_model()
    compiled.network.compile(backend="eager")
    ids = torch.arange(32).view(4, 8) + 5
    gradients = []
    for model in (plain, compiled):
        layers = attach_random(model, "language/sw", LORA)
        with model.active("sw"):
            model(ids, torch.ones_like(ids), blocks=(0, 1)).pow(2).mean().backward()
        gradients.append([weight.grad for weight in layers.parameters()])
    assert all(gradient is not None for gradient in gradients[0])
    torch.testing.assert_close(*gradients)
