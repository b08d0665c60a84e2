"""A pure LoRA folder is an ordinary peft folder; no other folder loads as one."""

from pathlib import Path

import peft
import pytest
import torch
from torch import Tensor
from transformers import AutoModel, BertModel

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter, load_adapter
from tests.adapters import random_adapter
from tests.tiny import ARCHITECTURES, tiny_model, tiny_network

LORA: dict[str, LoraConfig] = {
    "standard": LoraConfig(rank=4, alpha=8),
    "rank stabilized": LoraConfig(rank=4, alpha=6, scaling="rank_stabilized"),
    "sites and blocks": LoraConfig(rank=3, alpha=6, sites=("attention.query", "ffn.output"), blocks=(1,)),
    "sites": LoraConfig(rank=3, alpha=6, sites=("attention.output", "ffn.input")),
    "dropout": LoraConfig(rank=4, dropout=0.3),
}
OTHER: dict[str, AdapterConfig] = {
    "bottleneck": AdapterConfig(method=BottleneckConfig()),
    "invertible": AdapterConfig(method=LoraConfig(rank=4), invertible=InvertibleConfig()),
}
TEXTS = ["Habari ya asubuhi", "The goat sleeps."]


def ours(model: AdaptedModel, adapter: Adapter) -> Tensor:
    model.attach(adapter)
    with torch.no_grad(), model.active(adapter):
        states: Tensor = model(*model.backbone.pad(model.backbone.tokenize(TEXTS)))
    return states


def theirs(network: torch.nn.Module, model: AdaptedModel) -> Tensor:
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    with torch.no_grad():
        states: Tensor = network(input_ids=ids, attention_mask=mask).last_hidden_state
    return states


@pytest.mark.parametrize("model_type", ARCHITECTURES)
@pytest.mark.parametrize("method", LORA)
def test_peft_gives_the_same_hidden_states(model_type: str, method: str, tmp_path: Path) -> None:
    # Missing or unexpected keys would be warnings, and warnings are errors here.
    model = tiny_model(model_type)
    adapter = random_adapter(model, AdapterConfig(method=LORA[method]))
    network = peft.PeftModel.from_pretrained(tiny_network(model_type), adapter.save(tmp_path / "sw")).eval()
    bare = theirs(tiny_network(model_type), model)
    torch.testing.assert_close(theirs(network, model), ours(model, adapter))
    assert not torch.allclose(theirs(network, model), bare, atol=1e-3)


@pytest.mark.parametrize("auto_class", [AutoModel, BertModel])
def test_a_saved_backbone_and_a_saved_adapter_are_all_that_peft_needs(
    auto_class: type[AutoModel | BertModel], tmp_path: Path
) -> None:
    model = tiny_model()
    adapter = random_adapter(model, AdapterConfig(method=LORA["standard"]))
    model.network.save_pretrained(tmp_path / "backbone")
    backbone = auto_class.from_pretrained(tmp_path / "backbone", add_pooling_layer=False)
    network = peft.PeftModel.from_pretrained(backbone, str(adapter.save(tmp_path / "sw")))
    torch.testing.assert_close(theirs(network, model), ours(model, adapter))


def test_peft_holds_exactly_the_tensors_of_the_folder(tmp_path: Path) -> None:
    model = tiny_model()
    adapter = random_adapter(model, AdapterConfig(method=LORA["sites and blocks"]))
    network = peft.PeftModel.from_pretrained(tiny_network(), adapter.save(tmp_path / "sw"))
    held = peft.get_peft_model_state_dict(network, save_embedding_layers=False)
    assert held.keys() == {f"base_model.model.{name}" for name in adapter.tensors}
    assert all(torch.equal(held[f"base_model.model.{name}"], tensor) for name, tensor in adapter.tensors.items())


def test_what_peft_merges_equals_what_a_stack_adds(tmp_path: Path) -> None:
    model = tiny_model("roberta")
    adapter = random_adapter(model, AdapterConfig(method=LORA["rank stabilized"]))
    network = peft.PeftModel.from_pretrained(tiny_network("roberta"), adapter.save(tmp_path / "sw"))
    torch.testing.assert_close(theirs(network.merge_and_unload(), model), ours(model, adapter))


@pytest.mark.parametrize("method", OTHER)
def test_any_other_folder_is_refused_not_half_loaded(method: str, tmp_path: Path) -> None:
    adapter = random_adapter(tiny_model(), OTHER[method])
    network = tiny_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises((ValueError, KeyError), match="ADAPTKIT"):
        peft.PeftModel.from_pretrained(network, adapter.save(tmp_path / "sw"))
    after = network.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize("method", LORA)
def test_peft_s_own_targets_are_the_sites(method: str, tmp_path: Path) -> None:
    model = tiny_model()
    config = AdapterConfig(method=LORA[method])
    folder = random_adapter(model, config).save(tmp_path / "sw")
    network = peft.PeftModel.from_pretrained(tiny_network(), folder)
    wrapped = {name for name, module in network.base_model.model.named_modules() if hasattr(module, "lora_A")}
    assert wrapped == {path for path, _ in model.attach_layers("task/x", config).items()}
    assert load_adapter(folder).config == config
