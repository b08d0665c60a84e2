"""A LoRA that peft made and saved gives the same here, and what cannot be computed is refused."""

import json
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForSequenceClassification

import adaptkit
from adaptkit.errors import (
    AdapterFileError,
    ConfigError,
    LimitExceeded,
    MalformedConfig,
    NotConvertible,
    TensorShapeMismatch,
    UnknownLanguage,
)
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig
from tests.adapters import random_adapter
from tests.parity.test_peft import ours, theirs
from tests.tiny import ARCHITECTURES, WIDENING, tiny_model, tiny_network
from tests.tolerance import assert_equal_but_for_rounding

EVERYWHERE: dict[str, Any] = {"target_modules": "all-linear"}
OPTIONS: dict[str, dict[str, Any]] = {
    "standard": {"r": 4, "lora_alpha": 8, **EVERYWHERE},
    "rank stabilized": {"r": 4, "lora_alpha": 6, "use_rslora": True, **EVERYWHERE},
    "some modules": {"r": 3, "lora_alpha": 5, "target_modules": ["query", "value"]},
    "some blocks": {"r": 3, "target_modules": ["query"], "layers_to_transform": [1], "layers_pattern": "layer"},
    "ranks": {"r": 4, "lora_alpha": 7, "rank_pattern": {"value": 2, "intermediate.dense": 6}, **EVERYWHERE},
    "alphas by escaped names": {
        "r": 4,
        "alpha_pattern": {r"^encoder\.layer\.0\.output\.dense": 9, "layer.1.output.dense": 2},
        **EVERYWHERE,
    },
    "a tiny alpha": {"r": 4, "lora_alpha": 3e-10, **EVERYWHERE},
    "alphas": {"r": 4, "lora_alpha": 7, "alpha_pattern": {"value": 3, "intermediate.dense": 9.5}, **EVERYWHERE},
    "ranks and alphas": {
        "r": 4,
        "use_rslora": True,
        "rank_pattern": {"value": 2},
        "alpha_pattern": {"encoder.layer.1.output.dense": 1},
        **EVERYWHERE,
    },
    "one module of a block": {
        "r": 2,
        "target_modules": ["encoder.layer.0.output.dense", "encoder.layer.1.attention.self.key"],
    },
    "dropout": {"r": 4, "lora_dropout": 0.3, **EVERYWHERE},
    "DoRA": {"r": 4, "lora_alpha": 8, "use_dora": True, **EVERYWHERE},
    "DoRA of some modules": {
        "r": 4,
        "use_dora": True,
        "use_rslora": True,
        "rank_pattern": {"value": 2},
        "target_modules": ["encoder.layer.0.output.dense", "value"],
    },
}


def saved(folder: Path, options: dict[str, Any], network: torch.nn.Module | None = None) -> torch.nn.Module:
    """A peft model with random weights, saved there."""
    torch.manual_seed(3)
    config = peft.LoraConfig(init_lora_weights=False, **options)
    made: torch.nn.Module = peft.get_peft_model(network or tiny_network("bert"), config).eval()
    with torch.no_grad():
        for name, magnitudes in made.named_parameters():
            if "magnitude" in name:
                # Fresh ones are those of the changed weight, which make a LoRA of it.
                magnitudes.mul_(torch.linspace(0.7, 1.4, len(magnitudes)))
    made.save_pretrained(str(folder))  # type: ignore[operator]
    return made


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_outputs_are_those_of_peft(options: dict[str, Any], tmp_path: Path) -> None:
    network, model = saved(tmp_path / "theirs", options), tiny_model("bert")
    adapter = adaptkit.import_peft(tmp_path / "theirs", lang="Swahili", backbone=model, licence="CC0")
    assert (adapter.id, adapter.language, adapter.card.licence) == ("language/sw", "sw", "CC0")
    assert "peft" in adapter.card.source
    assert model.attached == ()
    assert_equal_but_for_rounding(ours(model, adapter), theirs(network, model))


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_every_family(model_type: str, tmp_path: Path) -> None:
    outside = {"exclude_modules": [WIDENING[model_type]]} if model_type in WIDENING else {}
    network = saved(tmp_path / "theirs", {**OPTIONS["standard"], **outside}, tiny_network(model_type))
    model = tiny_model(model_type)
    adapter = adaptkit.import_peft(tmp_path / "theirs", lang="sw", domain="news", backbone=model)
    assert (adapter.id, adapter.language) == ("domain/news", "sw")
    assert_equal_but_for_rounding(ours(model, adapter), theirs(network, model))


def test_there_and_back_again(tmp_path: Path) -> None:
    model = tiny_model("bert")
    adapter = random_adapter(model, AdapterConfig(method=LoraConfig(rank=3, alpha=5, scaling="rank_stabilized")))
    again = adaptkit.import_peft(adaptkit.export_peft(adapter, tmp_path / "sw"), lang="sw", backbone=model)
    assert again.config == adapter.config
    assert all(torch.equal(again.tensors[name], tensor) for name, tensor in adapter.tensors.items())
    again.save(tmp_path / "again")
    network = peft.PeftModel.from_pretrained(tiny_network("bert"), tmp_path / "again").eval()
    torch.testing.assert_close(ours(model, adaptkit.load_adapter(tmp_path / "again")), theirs(network, model))


def test_paths_of_a_model_with_a_head(tmp_path: Path) -> None:
    bare = tiny_network("bert")
    assert isinstance(bare.config, BertConfig)
    whole = BertForSequenceClassification(bare.config)
    whole.bert.load_state_dict(bare.state_dict(), strict=False)
    options = {"r": 4, "target_modules": ["query", "output.dense"], "task_type": "FEATURE_EXTRACTION"}
    network = saved(tmp_path / "theirs", options, whole)
    model = tiny_model("bert")
    adapter = adaptkit.import_peft(tmp_path / "theirs", lang="sw", backbone=model)
    encoder: torch.nn.Module = network.get_submodule("base_model.model.bert")
    assert_equal_but_for_rounding(ours(model, adapter), theirs(encoder, model))


def test_a_task_adapters_lora_goes_to_peft_without_its_head(tmp_path: Path) -> None:
    model = tiny_model("bert")
    head = HeadConfig(task_type="classification", labels=("a", "b"))
    adapter = random_adapter(model, AdapterConfig(method=LoraConfig(rank=3, alpha=3), head=head), kind="task", name="t")
    with pytest.raises(ConfigError, match="without_head=True"):
        adaptkit.export_peft(adapter, tmp_path / "t")
    folder = adaptkit.export_peft(adapter, tmp_path / "t", without_head=True)
    network = peft.PeftModel.from_pretrained(tiny_network("bert"), folder).eval()
    torch.testing.assert_close(theirs(network, model), ours(model, adapter))


@pytest.mark.parametrize(
    "config",
    [
        AdapterConfig(method=BottleneckConfig()),
        AdapterConfig(method=LoraConfig(rank=2), invertible=InvertibleConfig()),
        AdapterConfig(method=LoraConfig(rank=2), hides_top_block=True),
    ],
    ids=["bottleneck", "invertible", "hides the top block"],
)
def test_what_peft_cannot_compute_is_not_exported(config: AdapterConfig, tmp_path: Path) -> None:
    adapter = random_adapter(tiny_model("bert"), config)
    with pytest.raises(NotConvertible):
        adaptkit.export_peft(adapter, tmp_path / "sw")
    assert not (tmp_path / "sw").exists()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "bias": ({"bias": "lora_only"}, "bias 'lora_only'"),
    "pissa": ({"init_lora_weights": "pissa_niter_4"}, "changes the weights below"),
    "head": ({"modules_to_save": ["classifier"]}, "modules_to_save"),
    "method": ({"peft_type": "VERA"}, "peft_type 'VERA'; read are LORA, IA3"),
    "transposed": ({"fan_in_fan_out": True}, "fan_in_fan_out"),
    "not known yet": ({"use_something_new": {"a": 1}}, "use_something_new"),
    "a hostile pattern": ({"alpha_pattern": {"(a+)+$": 3}}, "only names of modules"),
    "a pattern of digits": ({"alpha_pattern": {r"layer.\d.attention.self.query": 3}}, "only names of modules"),
}


def test_a_dora_without_its_magnitudes_is_refused(tmp_path: Path) -> None:
    saved(tmp_path / "theirs", OPTIONS["standard"])
    path = tmp_path / "theirs" / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "use_dora": True}))
    with pytest.raises(MalformedConfig, match="a DoRA has lora_A and lora_B and lora_magnitude_vector there"):
        adaptkit.import_peft(tmp_path / "theirs", lang="sw", backbone=tiny_model("bert"))


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_computed_is_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    saved(tmp_path / "theirs", OPTIONS["standard"])
    path = tmp_path / "theirs" / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(NotConvertible, match=message):
        adaptkit.import_peft(tmp_path / "theirs", lang="sw", backbone=tiny_model("bert"))


def changed(folder: Path, model: AdaptedModel, **change: torch.Tensor | None) -> Adapter:
    tensors = load_file(folder / "adapter_model.safetensors")
    first = "base_model.model.encoder.layer.0.attention.self.query.lora_A.weight"
    for name, tensor in change.items():
        key = first if name == "first" else name.replace("__", ".")
        tensors.pop(key, None)
        if tensor is not None:
            tensors[key] = tensor
    save_file(tensors, folder / "adapter_model.safetensors")
    return adaptkit.import_peft(folder, lang="sw", backbone=model)


BROKEN: dict[str, tuple[type[Exception], dict[str, torch.Tensor | None]]] = {
    "half a module": (MalformedConfig, {"first": None}),
    "another width": (TensorShapeMismatch, {"first": torch.zeros(4, 31)}),
    "another rank": (TensorShapeMismatch, {"first": torch.zeros(5, 32)}),
    "one dimension": (TensorShapeMismatch, {"first": torch.zeros(32)}),
    "no numbers": (AdapterFileError, {"first": torch.full((4, 32), float("nan"))}),
    "embeddings": (NotConvertible, {"base_model__model__embeddings__lora_embedding_A": torch.zeros(4, 400)}),
    "elsewhere": (
        MalformedConfig,
        {f"base_model__model__encoder__layer__7__x__lora_{part}__weight": torch.zeros(4, 4) for part in "AB"},
    ),
}


@pytest.mark.parametrize(("error", "change"), BROKEN.values(), ids=BROKEN)
def test_broken_weights_are_refused(
    error: type[Exception], change: dict[str, torch.Tensor | None], tmp_path: Path
) -> None:
    saved(tmp_path / "theirs", OPTIONS["standard"])
    with pytest.raises(error):
        changed(tmp_path / "theirs", tiny_model("bert"), **change)


@pytest.mark.parametrize("alpha", [0, -1, 1e9, "8", True, float("inf")])
def test_an_alpha_that_cannot_be_right(alpha: object, tmp_path: Path) -> None:
    saved(tmp_path / "theirs", OPTIONS["standard"])
    path = tmp_path / "theirs" / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "lora_alpha": alpha}))
    with pytest.raises((MalformedConfig, LimitExceeded)):
        adaptkit.import_peft(tmp_path / "theirs", lang="sw", backbone=tiny_model("bert"))


def test_a_module_that_is_there_twice(tmp_path: Path) -> None:
    saved(tmp_path / "theirs", OPTIONS["standard"])
    again = {
        f"base_model__model__bert__encoder__layer__0__attention__self__query__lora_{part}__weight": tensor
        for part, tensor in (("A", torch.zeros(4, 32)), ("B", torch.zeros(32, 4)))
    }
    with pytest.raises(MalformedConfig):
        changed(tmp_path / "theirs", tiny_model("bert"), **again)


def test_numbers_that_are_too_large(tmp_path: Path) -> None:
    saved(tmp_path / "theirs", OPTIONS["standard"])
    with pytest.raises(NotConvertible, match="NaN or Inf"):
        changed(tmp_path / "theirs", tiny_model("bert"), first=torch.full((4, 32), 3e38))


def test_a_pickle_is_not_read(tmp_path: Path) -> None:
    saved(tmp_path / "theirs", OPTIONS["standard"])
    (tmp_path / "theirs" / "adapter_model.safetensors").rename(tmp_path / "theirs" / "adapter_model.bin")
    with pytest.raises(NotConvertible, match="pickle"):
        adaptkit.import_peft(tmp_path / "theirs", lang="sw", backbone=tiny_model("bert"))


def test_a_name_that_no_adapter_may_have(tmp_path: Path) -> None:
    for domain in ("../x", ""):
        with pytest.raises(ConfigError):
            adaptkit.import_peft(tmp_path, lang="sw", domain=domain, backbone=tiny_model("bert"))


def test_a_name_that_is_no_language(tmp_path: Path) -> None:
    with pytest.raises(UnknownLanguage):
        adaptkit.import_peft(tmp_path, lang="Swahilii")
