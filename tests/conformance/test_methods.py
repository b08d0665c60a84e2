"""What every method keeps on every architecture. A new method is one more line in tests/methods.py."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import set_checkpoint_early_stop

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.tensor_shapes import tensor_shapes
from adaptkit.layers import LoraLayer
from adaptkit.model import AdaptedModel
from adaptkit.storage import load_adapter
from tests.adapters import attach_random, random_adapter
from tests.methods import METHODS, at_sites_of, methods_on
from tests.tiny import CONFORMING, REPRESENTATIVES, states_of, tiny_model

LORA = METHODS["lora"]
BACKWARD = ("inside", "after closing", "in another thread")
Place: TypeAlias = Literal["inside", "after closing", "in another thread"]
ID = "language/sw"
TEXTS = ["Habari ya asubuhi", "The goat sleeps.", "Akuya tana barci a gida."]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every method on every architecture that has a place for it."""
    if "config" in metafunc.fixturenames:
        # Where backward runs, times each method: of families, only what differs in it.
        families = REPRESENTATIVES if "backward" in metafunc.fixturenames else CONFORMING
        pairs = [(family, name) for family in families for name in methods_on(family)]
        metafunc.parametrize(("model", "config"), pairs, indirect=True)
    elif "model" in metafunc.fixturenames:
        metafunc.parametrize("model", CONFORMING, indirect=True)


@pytest.fixture
def model(request: pytest.FixtureRequest) -> AdaptedModel:
    return tiny_model(request.param)


@pytest.fixture
def config(request: pytest.FixtureRequest, model: AdaptedModel) -> AdapterConfig:
    return at_sites_of(model, METHODS[request.param])


def batch(model: AdaptedModel) -> tuple[Tensor, Tensor]:
    return model.backbone.pad(model.backbone.tokenize(TEXTS))


def hidden(model: AdaptedModel, stack: str | None = None) -> Tensor:
    with torch.no_grad(), model.active(stack):
        return states_of(model, *batch(model))


def weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def in_thread(function: Callable[[], object]) -> object:
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(function).result()


def loss_of(states: Tensor) -> Tensor:
    # A plain sum would be constant after a layer norm.
    return (states * torch.linspace(-1, 1, states[0].numel()).view_as(states[0])).sum()


def gradients(model: AdaptedModel, layers: AdapterLayers, backward: Place = "inside") -> dict[str, Tensor]:
    """Gradients of everything in the model that got one."""
    layers.zero_grad()
    with model.active(ID):
        loss = loss_of(states_of(model, *batch(model)))
        if backward == "inside":
            torch.autograd.backward(loss)
    if backward == "after closing":
        torch.autograd.backward(loss)
    elif backward == "in another thread":
        in_thread(partial(torch.autograd.backward, loss))
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def of_adapter(model: AdaptedModel) -> set[str]:
    return {name for name, _ in model.named_parameters() if not name.startswith(("network.", "backbone."))}


def test_a_fresh_adapter_changes_nothing(model: AdaptedModel, config: AdapterConfig) -> None:
    bare = hidden(model)
    model.attach_layers(ID, config)
    assert torch.equal(hidden(model, ID), bare)


def test_random_weights_change_something_only_while_active(model: AdaptedModel, config: AdapterConfig) -> None:
    bare = hidden(model)
    attach_random(model, ID, config)
    assert not torch.allclose(hidden(model, ID), bare, atol=1e-2)
    assert torch.equal(hidden(model), bare)


def test_a_training_step_leaves_the_backbone_as_it_was(model: AdaptedModel, config: AdapterConfig) -> None:
    layers = model.attach_layers(ID, config)
    backbone, adapter = weights(model.network), weights(layers)
    optimizer = torch.optim.AdamW(layers.parameters(), lr=0.1)
    gradients(model, layers)
    optimizer.step()
    assert same(weights(model.network), backbone)
    assert not same(weights(layers), adapter)
    assert all(weight.grad is None and not weight.requires_grad for weight in model.network.parameters())


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_fresh_adapter_gets_a_gradient_for_every_tensor(
    model: AdaptedModel, config: AdapterConfig, checkpointing: bool
) -> None:
    layers = model.attach_layers(ID, config)
    model.gradient_checkpointing(checkpointing)
    assert gradients(model, layers).keys() == of_adapter(model)
    assert len(of_adapter(model)) == len(layers.named_tensors())


@pytest.mark.parametrize("backward", BACKWARD)
@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_are_the_same_wherever_backward_runs(
    model: AdaptedModel, config: AdapterConfig, backward: Place, checkpointing: bool
) -> None:
    layers = attach_random(model, ID, config)
    plain = gradients(model, layers)
    model.gradient_checkpointing(checkpointing)
    assert same(gradients(model, layers, backward), plain)
    assert all(gradient.abs().max() > 0 for gradient in plain.values())


def test_a_config_says_which_tensors_the_layers_have(model: AdaptedModel, config: AdapterConfig) -> None:
    layers = AdapterLayers(config, model.backbone.shape.sites())
    held = {name: tuple(tensor.shape) for name, tensor in layers.named_tensors().items()}
    assert tensor_shapes(config, model.backbone.shape) == held
    assert list(tensor_shapes(config, model.backbone.shape)) == list(held)


def test_save_and_load_are_exact(model: AdaptedModel, config: AdapterConfig, tmp_path: Path) -> None:
    adapter = random_adapter(model, config)
    loaded = load_adapter(adapter.save(tmp_path / "sw"))
    assert same(dict(loaded.tensors), dict(adapter.tensors))
    for field in ("id", "language", "config", "origin", "below", "probes", "card", "weights_sha256"):
        assert getattr(loaded, field) == getattr(adapter, field)


def test_a_loaded_adapter_gives_the_same_outputs(model: AdaptedModel, config: AdapterConfig, tmp_path: Path) -> None:
    adapter = random_adapter(model, config)
    model.attach(adapter)
    other = tiny_model(model.backbone.shape.model_type)
    other.attach(load_adapter(adapter.save(tmp_path / "sw")))
    assert torch.equal(other.encode(TEXTS, stack=ID), model.encode(TEXTS, stack=adapter))


def test_detaching_leaves_no_trace(model: AdaptedModel, config: AdapterConfig) -> None:
    before, bare = weights(model.network), hidden(model)
    adapter = random_adapter(model, config)
    model.attach(adapter)
    hidden(model, ID)
    model.detach(ID)
    assert same(weights(model.network), before)
    assert torch.equal(hidden(model), bare)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.network.modules())


def test_activation_never_changes_what_is_trained(model: AdaptedModel, config: AdapterConfig) -> None:
    model.attach(random_adapter(model, config))
    with model.active(ID):
        assert not any(weight.requires_grad for weight in model.parameters())
        assert not states_of(model, *batch(model)).requires_grad
    assert not any(weight.requires_grad for weight in model.parameters())


def test_what_lies_below_stays_frozen(model: AdaptedModel, config: AdapterConfig) -> None:
    model.attach(random_adapter(model, config))
    top = attach_random(model, "task/topics", config, seed=2)
    with model.active(f"{ID} > task/topics"):
        torch.autograd.backward(loss_of(states_of(model, *batch(model))))
    assert all(weight.grad is not None for weight in top.parameters())
    assert sum(weight.grad is not None for weight in model.parameters()) == len(top.named_tensors())


# From here on: what holds of hooks and plans, whichever method is attached.


def test_lora_equals_weights_with_the_change_folded_in(model: AdaptedModel) -> None:
    # DeBERTa-v2 with share_att_key projects its relative embeddings too, through the same query and key.
    layers = attach_random(model, ID, LORA)
    adapted = hidden(model, ID)
    for path, layer in layers.items():
        assert isinstance(layer, LoraLayer)
        model.network.get_parameter(f"{path}.weight").data += 2.0 * (layer.lora_B.weight @ layer.lora_A.weight).data
    torch.testing.assert_close(hidden(model), adapted)


def test_deberta_reaches_its_shared_query_projection_twice() -> None:
    model = tiny_model("deberta-v2")
    layers = dict(attach_random(model, ID, LORA).items())
    query = next(layer for path, layer in layers.items() if path.endswith("query_proj"))
    shapes = []
    query.register_forward_pre_hook(lambda _, args: shapes.append(tuple(args[0].shape)))
    hidden(model, ID)
    assert [shape[0] for shape in shapes] == [len(TEXTS), 1]


def test_checkpointing_runs_every_layer_twice(model: AdaptedModel) -> None:
    layers = attach_random(model, ID, LORA)
    calls = []
    for path, layer in layers.items():
        layer.register_forward_hook(lambda *_, path=path: calls.append(path))
    gradients(model, layers)
    plain = len(calls)
    model.gradient_checkpointing(True)
    # Recomputation would leave out what backward does not need: the last layer of a pre-norm block.
    with set_checkpoint_early_stop(False):
        gradients(model, layers)
    assert len(calls) == 3 * plain


def test_a_stack_is_seen_only_by_its_own_thread(model: AdaptedModel) -> None:
    attach_random(model, ID, LORA)
    bare, adapted = hidden(model), hidden(model, ID)
    with torch.no_grad(), model.active(ID):
        elsewhere = in_thread(lambda: states_of(model, *batch(model)))
        assert torch.equal(states_of(model, *batch(model)), adapted)
    assert isinstance(elsewhere, Tensor)
    assert torch.equal(elsewhere, bare)


def test_stacks_of_two_models_do_not_disturb_each_other(model: AdaptedModel) -> None:
    other = tiny_model(seed=5)
    attach_random(model, ID, LORA)
    attach_random(other, ID, LORA, seed=2)
    alone, other_alone = hidden(model, ID), hidden(other, ID)
    with torch.no_grad(), model.active(ID):
        with other.active(ID):
            assert torch.equal(states_of(model, *batch(model)), alone)
            assert torch.equal(other(*batch(other)), other_alone)
        assert torch.equal(states_of(model, *batch(model)), alone)


def test_an_inner_stack_replaces_the_outer_one_and_gives_it_back(model: AdaptedModel) -> None:
    attach_random(model, ID, LORA)
    attach_random(model, "task/topics", LORA, seed=2)
    outer, inner = hidden(model, ID), hidden(model, "task/topics")
    with torch.no_grad(), model.active(ID):
        assert torch.equal(hidden(model, "task/topics"), inner)
        with pytest.raises(RuntimeError, match="stop"), model.active("task/topics"):
            raise RuntimeError("stop")
        assert torch.equal(states_of(model, *batch(model)), outer)


@pytest.mark.parametrize("ours_first", [False, True])
def test_checkpointing_switched_on_at_the_backbone_is_refused(model: AdaptedModel, ours_first: bool) -> None:
    if not model.backbone.architecture.recomputes:
        pytest.skip("transformers has none for this family")
    attach_random(model, ID, LORA)
    model.gradient_checkpointing(ours_first)
    model.network.activation_checkpointing_enable()
    with pytest.raises(ConfigError, match=r"model\.gradient_checkpointing"):
        hidden(model, ID)
    model.gradient_checkpointing(True)
    hidden(model, ID)
