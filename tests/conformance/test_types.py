"""Every method where blocks compute in 16 bits and norms give float32, as on a GPU under somebody's autocast."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from adaptkit.backbones.precision import bfloat16_blocks
from adaptkit.data.sample import sample_pairs
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import LabelledText
from tests.adapters import attach_random
from tests.calls import train_adapter
from tests.methods import METHODS, at_sites_of, methods_on
from tests.tiny import tiny_model

FAMILIES = ("bert", "deberta-v2", "llama")
TEXTS = ["Habari ya asubuhi", "The goat sleeps.", "Akuya tana barci a gida."]
PAIRS = sample_pairs("sw")[:40]
LABELLED = [LabelledText(text=text, label="ab"[number % 2]) for number, (_, text) in enumerate(PAIRS)]
NEAR = 0.15
"""Of a gradient's length: bf16 rounds to 1/256, and two blocks of four products lie between loss and adapter."""


@contextmanager
def as_on_a_gpu(network: nn.Module) -> Iterator[None]:
    """Blocks in bf16 under an autocast in which every norm gives float32, as CUDA's gives it."""
    norms = [m for m in network.modules() if isinstance(m, nn.LayerNorm) or type(m).__name__.endswith("RMSNorm")]
    assert norms
    with ExitStack() as stack:
        stack.enter_context(bfloat16_blocks(network))  # type: ignore[arg-type]
        for norm in norms:
            norm.forward = partial(_in_float32, type(norm).forward, norm)
            stack.callback(delattr, norm, "forward")
        stack.enter_context(torch.autocast("cpu", torch.bfloat16))
        yield


def _in_float32(forward: Callable[..., Tensor], norm: nn.Module, x: Tensor) -> Tensor:
    if isinstance(norm, nn.LayerNorm):
        weight, bias = norm.weight.float(), norm.bias.float()
        return nn.functional.layer_norm(x.float(), list(norm.normalized_shape), weight, bias, norm.eps)
    given: Tensor = forward(norm, x.float())
    return given.float()


def gradient(model: AdaptedModel, stacks: list[str | None]) -> Tensor:
    """Of every attached tensor, as one vector."""
    model.adapters.requires_grad_(requires_grad=True)
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    if len(set(stacks)) == 1:
        with model.active(stacks[0]):
            states = model(ids, mask)
    else:
        states = model(ids, mask, stacks=stacks)
    loss = (states.float() * torch.linspace(-1, 1, states.shape[-1])).pow(2).mean()
    torch.autograd.backward(loss)
    grads = {name: weight.grad for name, weight in model.adapters.named_parameters()}
    assert all(grad is not None and grad.dtype == torch.float32 for grad in grads.values())
    model.adapters.zero_grad()
    return torch.cat([grad.reshape(-1) for grad in grads.values() if grad is not None])


def require_near(found: Tensor, expected: Tensor) -> None:
    assert float((found - expected).norm()) < NEAR * float(expected.norm())


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize(("family", "method"), [(f, m) for f in FAMILIES for m in methods_on(f)])
def test_gradients_where_norms_give_float32(family: str, method: str, checkpointing: bool) -> None:
    model = tiny_model(family)
    attach_random(model, "language/sw", at_sites_of(model, METHODS[method]))
    expected = gradient(model, ["sw"] * len(TEXTS))
    model.gradient_checkpointing(on=checkpointing)
    with as_on_a_gpu(model.network):
        require_near(gradient(model, ["sw"] * len(TEXTS)), expected)


@pytest.mark.parametrize(("family", "method"), [(f, m) for f in FAMILIES for m in methods_on(f)])
def test_training_where_norms_give_float32(family: str, method: str) -> None:
    """By somebody's own loop, inside their autocast."""
    model = tiny_model(family)
    attach_random(model, "language/sw", at_sites_of(model, METHODS[method])).requires_grad_(requires_grad=True)
    optimizer = torch.optim.AdamW(model.adapters.parameters(), lr=1e-2)
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    losses = []
    with as_on_a_gpu(model.network):
        for _ in range(8):
            with model.active("sw"):
                loss = (model(ids, mask).float() - 1).pow(2).mean()
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lora", "lora, rank stabilized, some sites and blocks"),
        ("bottleneck", "bottleneck at both sites"),
        ("dora", "lora"),
        ("ia3", "dora"),
    ],
)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_stack_on_every_row_where_norms_give_float32(family: str, one: str, other: str) -> None:
    model = tiny_model(family)
    attach_random(model, "language/sw", at_sites_of(model, METHODS[one]))
    attach_random(model, "language/ha", at_sites_of(model, METHODS[other]), seed=2)
    stacks: list[str | None] = ["sw", None, "ha"]
    expected, vectors = gradient(model, stacks), model.encode(TEXTS, stacks=stacks)
    with as_on_a_gpu(model.network):
        require_near(gradient(model, stacks), expected)
        require_near(model.encode(TEXTS, stacks=stacks), vectors)


TRAINED: dict[str, dict[str, Any]] = {
    "distill, lora": {"lang": "sw", "parallel": PAIRS},
    "distill, bottleneck + invertible": {
        "lang": "sw",
        "parallel": PAIRS,
        "method": "bottleneck",
        "invertible": True,
    },
    "mlm": {"lang": "sw", "text": [text for _, text in PAIRS]},
    "task": {"task": "topics", "data": LABELLED},
}


@pytest.mark.parametrize("asked", TRAINED.values(), ids=TRAINED)
def test_training_inside_somebodys_autocast_is_training_without(asked: dict[str, Any]) -> None:
    options: dict[str, Any] = {"max_steps": 3, "batch_size": 8, "progress": False, "precision": "bf16"}
    alone = train_adapter(backbone=tiny_model(), private=True, **asked, **options)
    with torch.autocast("cpu", torch.bfloat16):
        inside = train_adapter(backbone=tiny_model(), private=True, **asked, **options)
    assert all(torch.equal(tensor, inside.tensors[name]) for name, tensor in alone.tensors.items())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    "config",
    [
        AdapterConfig(method=LoraConfig(rank=4, alpha=8)),
        AdapterConfig(method=BottleneckConfig(reduction_factor=4), invertible=InvertibleConfig()),
    ],
    ids=["lora", "bottleneck"],
)
def test_a_backbone_of_sixteen_bits_needs_no_autocast(dtype: torch.dtype, config: AdapterConfig) -> None:
    model = tiny_model()
    attach_random(model, "language/sw", config)
    expected = gradient(model, ["sw"] * len(TEXTS))
    model.network.to(dtype)  # type: ignore[arg-type]
    require_near(gradient(model, ["sw"] * len(TEXTS)), expected)
