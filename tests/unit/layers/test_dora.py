"""DoRA against its formula, on full and quantised weights, in batches of rows, and merged."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import adaptkit
from adaptkit.backbones.linears import QuantizedLinear
from adaptkit.errors import NotConvertible
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.layers.dora import DoraLayer
from adaptkit.methods import DoraConfig, LoraConfig
from adaptkit.model import AdaptedModel
from tests.adapters import attach_random, random_adapter
from tests.saved import saved_backbone
from tests.tiny import tiny_model

DORA = AdapterConfig(method=DoraConfig(rank=3, alpha=6))
TEXTS = ["Habari ya asubuhi", "The goat sleeps.", "Akuya tana barci a gida.", "Maji safi", "Yes.", "Mbuzi"]


def weight_at(model: AdaptedModel, path: str) -> Tensor:
    linear = model.network.get_submodule(path)
    if isinstance(linear, QuantizedLinear):
        return linear.weight_as(torch.float32)
    return linear.get_parameter("weight").float()


@pytest.mark.parametrize("bits", [32, 16, 8, 4])
def test_it_is_the_layer_with_the_changed_weight(bits: Any, tmp_path: Path) -> None:  # noqa: ANN401
    model = adaptkit.load_model(saved_backbone(tmp_path / "tiny", "bert"), bits=bits)
    worst = 0.03 if bits == 16 else 1e-4
    for path, layer in attach_random(model, "language/sw", DORA).items():
        assert isinstance(layer, DoraLayer)
        layer.gain.data += 1
        frozen = weight_at(model, path)
        changed = frozen + layer.scale * layer.lora_B.weight @ layer.lora_A.weight
        changed = changed * (layer.gain * frozen.norm(dim=1) / changed.norm(dim=1)).unsqueeze(1)
        x = torch.randn(2, 5, frozen.shape[1], dtype=model.network.dtype)
        below = model.network.get_submodule(path)(x)
        expected = x.float() @ (changed - frozen).t()
        with torch.no_grad():
            found = (layer(x, below) - below).float()
            assert float((found - expected).norm() / expected.norm()) < worst
            delta = layer.weight_change(lambda frozen=frozen: frozen)  # type: ignore[misc]
        torch.testing.assert_close(delta, (changed - frozen).detach(), rtol=1e-4, atol=1e-5)


def test_the_lengths_are_constants_in_the_gradient() -> None:
    model = tiny_model()
    path, layer = next(iter(attach_random(model, "language/sw", DORA).items()))
    assert isinstance(layer, DoraLayer)
    frozen = weight_at(model, path)
    x = torch.randn(4, frozen.shape[1])
    layer(x, torch.zeros(4, frozen.shape[0])).sum().backward()
    a, b = (part.weight.detach().clone().requires_grad_() for part in (layer.lora_A, layer.lora_B))
    changed = frozen + layer.scale * b @ a
    c = layer.gain.detach() * frozen.norm(dim=1) / changed.norm(dim=1).detach()
    (x @ (c.unsqueeze(1) * changed).t()).sum().backward()
    torch.testing.assert_close(layer.lora_A.weight.grad, a.grad)
    torch.testing.assert_close(layer.lora_B.weight.grad, b.grad)


def test_frozen_layers_remember_their_ratio_until_weights_change() -> None:
    model = tiny_model()
    model.attach(random_adapter(model, DORA))
    layer = next(module for module in model.adapters.modules() if isinstance(module, DoraLayer))
    x, below = torch.randn(3, layer.lora_A.weight.shape[1]), torch.zeros(3, len(layer.gain))
    with torch.no_grad():
        layer(x, below)
        layer.lora_B.weight.mul_(5)
        fresh = DoraLayer(
            in_width=x.shape[1], out_width=len(layer.gain), rank=len(layer.lora_A.weight), scale=layer.scale
        )
        fresh.load_state_dict(layer.state_dict())
        fresh.product = layer.product
        torch.testing.assert_close(layer(x, below), fresh(x, below))


def test_stacks_add_their_contributions_and_rows_have_their_own() -> None:
    model = tiny_model()
    attach_random(model, "language/sw", DORA, seed=1)
    attach_random(model, "language/yo", DORA, seed=2)
    attach_random(model, "task/farm", AdapterConfig(method=LoraConfig(rank=2)), seed=3)
    model.eval()
    for parameter in model.adapters.parameters():
        parameter.data *= 0.3
    stacks: list[Any] = ["sw", "yo > farm", None, "sw > farm", "farm", "yo"]
    alone = torch.cat([model.encode([text], stack=stack) for text, stack in zip(TEXTS, stacks, strict=True)])
    torch.testing.assert_close(model.encode(TEXTS, stacks=stacks), alone, rtol=1e-4, atol=1e-5)


def test_merged_it_gives_the_same() -> None:
    model = tiny_model()
    model.attach(random_adapter(model, DORA))
    stacked = model.encode(TEXTS, stack="sw")
    merged = adaptkit.merge(model, "sw")
    assert merged.output_error < 1e-4
    torch.testing.assert_close(merged.model.encode(TEXTS), stacked, rtol=1e-4, atol=1e-5)


def test_a_dora_is_no_lora_to_what_only_takes_those(tmp_path: Path) -> None:
    model = tiny_model()
    adapter = random_adapter(model, DORA)
    with pytest.raises(NotConvertible):
        adaptkit.export_peft(adapter, tmp_path / "sw")
    with pytest.raises(NotConvertible):
        adaptkit.combine([adapter], "sw", backbone=model)


def test_it_is_trained_by_name(tmp_path: Path) -> None:
    adapter = adaptkit.train_adapter(
        lang="sw",
        parallel=adaptkit.sample_pairs("sw")[:40],
        method=adaptkit.Dora(rank=2),
        backbone=tiny_model(),
        run=adaptkit.Run(max_steps=3, batch_size=8, progress=False),
        output=tmp_path / "sw",
    )
    assert adaptkit.load_adapter(tmp_path / "sw").config == adapter.config
    assert isinstance(adapter.config.method, DoraConfig)
    assert "DoRA: Liu et al. 2024, arXiv:2402.09353" in (tmp_path / "sw" / "README.md").read_text(encoding="utf-8")
