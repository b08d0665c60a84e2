"""A stack of LoRAs as one folder: plain peft gives the stack's outputs, and no other stack is written."""

import json
import re
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from transformers import AutoModelForTokenClassification

import adaptkit
from adaptkit.composition import Average, Composition, Stack
from adaptkit.errors import ConfigError, NotConvertible, UnknownAdapter
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, DoraConfig, Ia3Config, InvertibleConfig, LoraConfig, MethodConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig
from tests.adapters import random_adapter
from tests.parity import plain
from tests.tiny import tiny_model, tiny_network

TEXTS = ["Habari ya asubuhi", "The goat sleeps.", "Maji"]
STANDARD = LoraConfig(rank=4, alpha=8)
NARROW = LoraConfig(rank=2, alpha=6, sites=("attention.query", "ffn.output"), blocks=(1,))
STABILIZED = LoraConfig(rank=3, alpha=2, scaling="rank_stabilized")
TOPICS = HeadConfig(task_type="classification", labels=("goats", "rain"))


def stacked(*, model_type: str = "bert", hides: bool = False) -> AdaptedModel:
    model = tiny_model(model_type)
    model.attach(
        random_adapter(model, AdapterConfig(method=STANDARD)),
        random_adapter(model, AdapterConfig(method=NARROW), name="ha", seed=2),
        random_adapter(model, AdapterConfig(method=STABILIZED), kind="domain", name="news", seed=3),
        random_adapter(
            model,
            AdapterConfig(method=LoraConfig(rank=5, alpha=5), head=TOPICS, hides_top_block=hides),
            kind="task",
            name="topics",
            seed=4,
        ),
    )
    return model


STACKS: dict[str, Composition | str] = {
    "one": "language/sw",
    "two": "sw > news",
    "three, with a head on top": "sw > news > topics",
    "an average": Stack(Average({"language/sw": 0.75, "language/ha": 0.25}), "task/topics"),
    "an average of one": Average({"language/ha": 1.5}),
}


def error_in_peft(model: AdaptedModel, stack: Composition | str, folder: Path, model_type: str = "bert") -> float:
    adaptkit.export_peft_stack(model, stack, folder, without_head=True)
    network = peft.PeftModel.from_pretrained(tiny_network(model_type), folder).eval()
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    with torch.no_grad():
        ours = model(ids, mask, stacks=[stack] * len(ids))
    assert plain.relative_error(model(ids, mask, stacks=[None] * len(ids)), ours) > 0.05
    return plain.relative_error(plain.hidden_states(network, ids, mask), ours)


@pytest.mark.parametrize("name", STACKS)
def test_peft_gives_the_outputs_of_the_stack(name: str, tmp_path: Path) -> None:
    assert error_in_peft(stacked(), STACKS[name], tmp_path / "peft") < 1e-5


@pytest.mark.parametrize("model_type", ["llama", "xlm-roberta"])
def test_on_other_architectures_too(model_type: str, tmp_path: Path) -> None:
    assert error_in_peft(stacked(model_type=model_type), "sw > news", tmp_path / "peft", model_type) < 1e-5


def test_a_task_that_hides_what_lies_below_in_the_last_block_is_summed_so(tmp_path: Path) -> None:
    assert error_in_peft(stacked(hides=True), "sw > topics", tmp_path / "peft") < 1e-5


def test_one_rank_and_one_alpha_hold_everywhere_as_servers_ask(tmp_path: Path) -> None:
    model = stacked()
    folder = adaptkit.export_peft_stack(model, "sw > news", tmp_path / "peft")
    config = json.loads((folder / "adapter_config.json").read_text())
    assert (config["peft_type"], config["r"]) == ("LORA", 7)
    assert not config.get("rank_pattern")
    assert not config.get("alpha_pattern")
    assert not config.get("modules_to_save")
    loaded = peft.PeftConfig.from_pretrained(folder)
    assert loaded.r == 7


def test_one_lora_is_written_as_it_is(tmp_path: Path) -> None:
    model = stacked()
    adaptkit.export_peft_stack(model, "sw", tmp_path / "stack")
    sw = model.attached_adapter("language/sw")
    assert sw is not None
    again = adaptkit.load_adapter(tmp_path / "stack")
    assert (again.id, again.config) == ("language/sw-stack", sw.config)
    assert all(torch.equal(again.tensors[name], tensor) for name, tensor in sw.tensors.items())


def test_the_folder_is_an_adapter_of_ours_that_says_what_it_is(tmp_path: Path) -> None:
    model = stacked()
    again = adaptkit.load_adapter(adaptkit.export_peft_stack(model, "sw > news", tmp_path / "peft"))
    assert again.card.source == "the sum of the stack language/sw > domain/news"
    fresh = tiny_model()
    fresh.attach(again)
    torch.testing.assert_close(
        fresh.encode(TEXTS, stack=again), model.encode(TEXTS, stack="sw > news"), atol=1e-5, rtol=1e-5
    )


def test_a_class_with_a_head_finds_it_too(tmp_path: Path) -> None:
    model = stacked()
    folder = adaptkit.export_peft_stack(
        model, "sw > topics", tmp_path / "peft", for_class="AutoModelForTokenClassification", without_head=True
    )
    whole: Any = AutoModelForTokenClassification.from_config(  # type: ignore[no-untyped-call]
        model.backbone.network.config
    )
    whole.base_model.load_state_dict(tiny_network().state_dict(), strict=False)
    network = peft.PeftModel.from_pretrained(whole, folder).eval()
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    with torch.no_grad():
        found = network(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states[-1]
        ours = model(ids, mask, stacks=["sw > topics"] * len(ids))
    real = mask.bool()
    assert plain.relative_error(found[real], ours[real]) < 1e-5


REFUSED: dict[str, tuple[MethodConfig, str]] = {
    "bottleneck": (BottleneckConfig(reduction_factor=4), "language/rw in the stack is no LoRA alone (bottleneck)"),
    "ia3": (Ia3Config(), "language/rw in the stack is no LoRA alone (ia3)"),
    "dora": (DoraConfig(rank=2), "language/rw in the stack is no LoRA alone (dora)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_lora_is_refused_by_its_name(name: str, tmp_path: Path) -> None:
    method, said = REFUSED[name]
    model = stacked()
    model.attach(random_adapter(model, AdapterConfig(method=method), name="rw", seed=5))
    with pytest.raises(NotConvertible, match=re.escape(said)):
        adaptkit.export_peft_stack(model, "rw > news", tmp_path / "peft")
    assert list(tmp_path.iterdir()) == []


def test_an_invertible_layer_is_refused_by_name(tmp_path: Path) -> None:
    model = stacked()
    config = AdapterConfig(method=STANDARD, invertible=InvertibleConfig())
    model.attach(random_adapter(model, config, name="rw", seed=5))
    with pytest.raises(NotConvertible, match=r"language/rw in the stack is no LoRA alone .*with an invertible layer"):
        adaptkit.export_peft_stack(model, "rw", tmp_path / "peft")


def test_heads_and_stacks_of_nothing_are_told(tmp_path: Path) -> None:
    model = stacked()
    with pytest.raises(ConfigError, match="has a head on top, which peft has no place for"):
        adaptkit.export_peft_stack(model, "sw > topics", tmp_path / "peft")
    with pytest.raises(ConfigError, match=r"no LoRA acts in the stack \(empty\)"):
        adaptkit.export_peft_stack(model, None, tmp_path / "peft")
    with pytest.raises(UnknownAdapter):
        adaptkit.export_peft_stack(model, "yo", tmp_path / "peft")
    assert list(tmp_path.iterdir()) == []
    adaptkit.export_peft_stack(model, "sw", tmp_path / "peft")
    with pytest.raises(ConfigError, match="already holds an adapter"):
        adaptkit.export_peft_stack(model, "sw > news", tmp_path / "peft")
