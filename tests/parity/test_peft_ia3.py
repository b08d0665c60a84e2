"""An IA3 that peft made gives the same here, and ours the same there; what cannot be computed is refused."""

import json
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from safetensors.torch import load_file, save_file

import adaptkit
from adaptkit.errors import AdapterFileError, ConfigError, MalformedConfig, NotConvertible, TensorShapeMismatch
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import Ia3Config
from adaptkit.task_types import HeadConfig
from tests.adapters import random_adapter
from tests.parity.test_peft import ours, theirs
from tests.parity.test_peft_classes import backbone_in, headed
from tests.tiny import ARCHITECTURES, DECODERS, tiny_model, tiny_network
from tests.tolerance import assert_equal_but_for_rounding

OPTIONS: dict[str, dict[str, Any]] = {
    "as peft has it": {},
    "every linear layer, what it gives": {"target_modules": "all-linear", "feedforward_modules": []},
    "one module of a block": {
        "target_modules": ["encoder.layer.0.output.dense", "encoder.layer.1.attention.self.query"],
        "feedforward_modules": ["encoder.layer.0.output.dense"],
    },
    "what attention reads, in one block": {
        "target_modules": ["encoder.layer.1.attention.output.dense"],
        "feedforward_modules": ["encoder.layer.1.attention.output.dense"],
    },
    "by a pattern": {
        "target_modules": r".*\.(key|output\.dense)",
        "feedforward_modules": r".*layer\.\d\.output\.dense",
    },
}
# What peft has no defaults for.
TARGETS = {
    "distilbert": {"target_modules": ["k_lin", "v_lin", "out_lin", "lin2"], "feedforward_modules": ["out_lin", "lin2"]},
    "xlm-roberta": {"target_modules": ["key", "value", "output.dense"], "feedforward_modules": ["output.dense"]},
    "smollm3": {"target_modules": ["k_proj", "v_proj", "down_proj"], "feedforward_modules": ["down_proj"]},
    "phi3": {"target_modules": ["qkv_proj", "down_proj"], "feedforward_modules": ["down_proj"]},
    "camembert": {"target_modules": ["key", "value", "output.dense"], "feedforward_modules": ["output.dense"]},
    "xlm-roberta-xl": {"target_modules": ["key", "value", "output.dense"], "feedforward_modules": ["output.dense"]},
    "electra": {"target_modules": ["key", "value", "output.dense"], "feedforward_modules": ["output.dense"]},
    "modernbert": {"target_modules": ["Wqkv", "mlp.Wo"], "feedforward_modules": ["mlp.Wo"]},
    "albert": {
        "target_modules": ["key", "value", "dense", "ffn_output"],
        "feedforward_modules": ["dense", "ffn_output"],
    },
    "nomic_bert": {"target_modules": ["k_proj", "v_proj", "down_proj"], "feedforward_modules": ["down_proj"]},
}


def saved(folder: Path, options: dict[str, Any], network: torch.nn.Module | None = None) -> torch.nn.Module:
    """A peft model with random scales around one, saved there."""
    made: torch.nn.Module = peft.get_peft_model(network or tiny_network("bert"), peft.IA3Config(**options)).eval()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, scales in made.named_parameters():
            if "ia3_l" in name:
                scales.add_(0.4 * torch.randn(scales.shape, generator=generator))
    made.save_pretrained(str(folder))  # type: ignore[operator]
    return made


def imported(folder: Path, model: adaptkit.AdaptedModel, **options: Any) -> adaptkit.Adapter:  # noqa: ANN401
    return adaptkit.import_peft(folder, lang="sw", backbone=model, **options)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_outputs_are_those_of_peft(options: dict[str, Any], tmp_path: Path) -> None:
    network, model = saved(tmp_path / "theirs", options), tiny_model("bert")
    bare = theirs(tiny_network("bert"), model)
    adapter = imported(tmp_path / "theirs", model)
    assert adapter.config.method_name == "ia3"
    assert_equal_but_for_rounding(ours(model, adapter), theirs(network, model))
    assert not torch.allclose(bare, theirs(network, model), atol=1e-2)


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_every_family_there_and_back(model_type: str, tmp_path: Path) -> None:
    network = saved(tmp_path / "theirs", TARGETS.get(model_type, {}), tiny_network(model_type))
    model = tiny_model(model_type)
    adapter = imported(tmp_path / "theirs", model)
    assert_equal_but_for_rounding(ours(model, adapter), theirs(network, model))
    folder = adaptkit.export_peft(adapter, tmp_path / "back")
    back = peft.PeftModel.from_pretrained(tiny_network(model_type), folder).eval()
    assert_equal_but_for_rounding(theirs(back, model), theirs(network, model))
    assert imported(folder, tiny_model(model_type)).probes == adapter.probes


@pytest.mark.parametrize("method", [Ia3Config(), Ia3Config(sites=("attention.query", "ffn.output"), blocks=(1,))])
@pytest.mark.parametrize("class_name", ["AutoModel", "AutoModelForMaskedLM", "AutoModelForCausalLM"])
def test_ours_goes_into_a_class_and_comes_back_as_it_was(method: Ia3Config, class_name: Any, tmp_path: Path) -> None:  # noqa: ANN401
    model_type = "qwen3" if class_name == "AutoModelForCausalLM" else "xlm-roberta"
    model = tiny_model(model_type)
    adapter = random_adapter(model, AdapterConfig(method=method))
    folder = adaptkit.export_peft(adapter, tmp_path / "ia3", for_class=class_name)
    whole = tiny_network(model_type) if class_name == "AutoModel" else headed(model, class_name)
    loaded = peft.PeftModel.from_pretrained(whole, folder).eval()
    assert_equal_but_for_rounding(theirs(backbone_in(loaded, model), model), ours(model, adapter))
    again = imported(folder, tiny_model(model_type))
    assert again.config == adapter.config
    assert all(torch.equal(again.tensors[name], tensor) for name, tensor in adapter.tensors.items())


def test_a_head_is_left_out_where_that_is_said(tmp_path: Path) -> None:
    model = tiny_model("bert")
    network = saved(tmp_path / "theirs", {"task_type": "SEQ_CLS"}, headed(model, "AutoModelForSequenceClassification"))
    with pytest.raises(NotConvertible, match=r"more was trained than the IA3 layers.*without_head=True"):
        imported(tmp_path / "theirs", model)
    adapter = imported(tmp_path / "theirs", model, without_head=True)
    assert "its head (classifier) is left out" in adapter.card.source
    assert_equal_but_for_rounding(ours(model, adapter), theirs(backbone_in(network, model), model))
    head = HeadConfig(task_type="classification", labels=("a", "b"))
    task = random_adapter(model, AdapterConfig(method=Ia3Config(), head=head), kind="task", name="t")
    with pytest.raises(ConfigError, match="without_head=True"):
        adaptkit.export_peft(task, tmp_path / "t")
    folder = adaptkit.export_peft(task, tmp_path / "t", without_head=True)
    loaded = peft.PeftModel.from_pretrained(tiny_network("bert"), folder).eval()
    assert_equal_but_for_rounding(theirs(loaded, model), ours(model, task))


@pytest.mark.parametrize(
    ("model_type", "module", "said"),
    [
        ("bert", "attention.self.query", "read by others too"),
        ("bert", "intermediate.dense", "read by others too"),
        (DECODERS[0], "self_attn.o_proj", "several queries share a value"),
        ("modernbert", "attn.Wo", "gives queries and keys too"),
    ],
)
def test_what_is_read_and_not_given_so_is_refused(model_type: str, module: str, said: str, tmp_path: Path) -> None:
    options = {"target_modules": [module], "feedforward_modules": [module]}
    saved(tmp_path / "theirs", options, tiny_network(model_type))
    with pytest.raises(NotConvertible, match=said):
        imported(tmp_path / "theirs", tiny_model(model_type))


def test_two_scales_of_one_layer_are_not_exported(tmp_path: Path) -> None:
    both = AdapterConfig(method=Ia3Config(sites=("ffn.activation", "ffn.output")))
    with pytest.raises(NotConvertible, match="one scale for that layer"):
        adaptkit.export_peft(random_adapter(tiny_model("bert"), both), tmp_path / "ia3")
    assert not (tmp_path / "ia3").exists()


KEY = "base_model.model.encoder.layer.0.attention.self.key"
BROKEN: dict[str, tuple[type[Exception], dict[str, torch.Tensor]]] = {
    "another width": (TensorShapeMismatch, {f"{KEY}.ia3_l": torch.ones(31, 1)}),
    "one dimension": (TensorShapeMismatch, {f"{KEY}.ia3_l": torch.ones(32)}),
    "no numbers": (AdapterFileError, {f"{KEY}.ia3_l": torch.full((32, 1), float("nan"))}),
    "a LoRA beside it": (MalformedConfig, {f"{KEY}.lora_A.weight": torch.ones(2, 32)}),
    "twice": (MalformedConfig, {f"{KEY}.ia3_l.default": torch.ones(32, 1)}),
    "elsewhere": (MalformedConfig, {KEY.replace("layer.0", "layer.7") + ".ia3_l": torch.ones(32, 1)}),
    "embeddings": (NotConvertible, {"base_model.model.embeddings.word_embeddings.weight": torch.ones(4, 4)}),
    "too large together": (
        NotConvertible,
        {
            KEY.replace("key", "value.ia3_l"): torch.full((32, 1), 3e38),
            KEY.replace("self.key", "output.dense.ia3_l"): torch.full((1, 32), 3e38),
        },
    ),
}


@pytest.mark.parametrize(("error", "change"), BROKEN.values(), ids=BROKEN)
def test_broken_weights_are_refused(error: type[Exception], change: dict[str, torch.Tensor], tmp_path: Path) -> None:
    saved(tmp_path / "theirs", {})
    file = tmp_path / "theirs" / "adapter_model.safetensors"
    save_file({**load_file(file), **change}, file)
    with pytest.raises(error):
        imported(tmp_path / "theirs", tiny_model("bert"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fan_in_fan_out": True}, "fan_in_fan_out"),
        ({"use_dora": True}, "use_dora"),
        ({"peft_type": "LORA"}, "feedforward_modules"),
    ],
    ids=str,
)
def test_configs_that_say_something_else_are_refused(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    saved(tmp_path / "theirs", {})
    path = tmp_path / "theirs" / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(NotConvertible, match=said):
        imported(tmp_path / "theirs", tiny_model("bert"))
