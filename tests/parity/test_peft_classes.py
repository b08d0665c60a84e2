"""LoRAs go to peft, and come from it, inside every class that transformers puts a head on a backbone with."""

import json
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import nn

import adaptkit
from adaptkit.errors import ConfigError, MalformedConfig, NotConvertible
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig
from tests.adapters import random_adapter
from tests.parity.test_peft import ours, theirs
from tests.tiny import ARCHITECTURES, DECODERS, WIDENING, tiny_config, tiny_model

ENCODER_CLASSES = (
    "AutoModelForMaskedLM",
    "AutoModelForSequenceClassification",
    "AutoModelForTokenClassification",
    "AutoModelForQuestionAnswering",
    "AutoModelForMultipleChoice",
)
DECODER_CLASSES = (
    "AutoModelForCausalLM",
    "AutoModelForSequenceClassification",
    "AutoModelForTokenClassification",
    "AutoModelForQuestionAnswering",
)
CLASSES = [
    (model_type, name)
    for model_type in ARCHITECTURES
    for name in (DECODER_CLASSES if model_type in DECODERS else ENCODER_CLASSES)
    if type(tiny_config(model_type)) in getattr(transformers, name)._model_mapping
]
LORA = AdapterConfig(method=LoraConfig(rank=3, alpha=7, scaling="rank_stabilized"))
FIRST = "encoder.layer.0.attention.self.query"


def headed(model: AdaptedModel, class_name: str) -> nn.Module:
    """The class with a head, and the model's weights in its backbone."""
    torch.manual_seed(1)
    whole: nn.Module = getattr(transformers, class_name).from_config(model.network.config)
    missing, unexpected = backbone_in(whole, model).load_state_dict(model.network.state_dict(), strict=False)
    assert not unexpected
    assert all("pooler" in name for name in missing)
    whole.train(mode=False)
    return whole


def backbone_in(whole: nn.Module, model: AdaptedModel) -> nn.Module:
    (bare,) = (module for module in whole.modules() if type(module) is type(model.network))
    return bare


def trained_by_peft(folder: Path, whole: nn.Module, **options: object) -> nn.Module:
    torch.manual_seed(3)
    made: nn.Module = peft.get_peft_model(whole, peft.LoraConfig(r=4, lora_alpha=6, init_lora_weights=False, **options))
    made.eval().save_pretrained(str(folder))  # type: ignore[operator]
    return made


@pytest.mark.parametrize(("model_type", "class_name"), CLASSES)
def test_a_lora_acts_in_the_class_that_it_was_written_for(model_type: str, class_name: str, tmp_path: Path) -> None:
    # Missing or unexpected keys would be warnings, and warnings are errors here.
    model = tiny_model(model_type)
    adapter = random_adapter(model, LORA)
    folder = adaptkit.export_peft(adapter, tmp_path / "lora", for_class=class_name)  # type: ignore[arg-type]
    whole = headed(model, class_name)
    bare = theirs(backbone_in(whole, model), model)
    loaded = peft.PeftModel.from_pretrained(whole, folder).eval()
    # As exact as the comparison on the bare class: the same products, in the same order.
    torch.testing.assert_close(theirs(backbone_in(loaded, model), model), ours(model, adapter))
    assert not torch.allclose(theirs(backbone_in(loaded, model), model), bare, atol=1e-3)
    again = adaptkit.import_peft(folder, lang="sw", backbone=tiny_model(model_type))
    assert (again.config, again.probes) == (adapter.config, adapter.probes)


@pytest.mark.parametrize(("model_type", "class_name"), CLASSES)
def test_a_lora_comes_from_the_class_that_it_was_trained_in(model_type: str, class_name: str, tmp_path: Path) -> None:
    model = tiny_model(model_type)
    chosen = {"target_modules": "all-linear"}
    outside = {"exclude_modules": [WIDENING[model_type]]} if model_type in WIDENING else {}
    network = trained_by_peft(tmp_path / "theirs", headed(model, class_name), **chosen, **outside)
    wrapped = [name for name, module in network.named_modules() if hasattr(module, "lora_A")]
    backbone, path = backbone_in(network, model), f"base_model.model.{_path_of_backbone(network, model)}."
    options: dict[str, Any] = {"lang": "sw", "backbone": model}
    if beside := [name for name in wrapped if not name.startswith(path) or ".pooler." in name]:
        with pytest.raises(NotConvertible, match="without_head=True"):
            adaptkit.import_peft(tmp_path / "theirs", **options)
        options["without_head"] = True
    adapter = adaptkit.import_peft(tmp_path / "theirs", **options)
    for name in beside:
        assert name.removeprefix("base_model.model.") in adapter.card.source
    # Theirs multiplies by the scale where ours has it folded in, over two blocks: some units in the last place.
    torch.testing.assert_close(ours(model, adapter), theirs(backbone, model), rtol=1e-5, atol=1e-5)


def _path_of_backbone(network: nn.Module, model: AdaptedModel) -> str:
    inner = network.get_submodule("base_model.model")
    names: list[str] = [name for name, module in inner.named_modules() if type(module) is type(model.network)]
    return names[0]


@pytest.mark.parametrize(("model_type", "task"), [("bert", "SEQ_CLS"), ("roberta", "TOKEN_CLS"), ("qwen3", "SEQ_CLS")])
def test_a_trained_head_is_refused_or_left_out_with_its_name(model_type: str, task: str, tmp_path: Path) -> None:
    class_name = {"SEQ_CLS": "AutoModelForSequenceClassification", "TOKEN_CLS": "AutoModelForTokenClassification"}[task]
    model = tiny_model(model_type)
    targets = ["q_proj"] if model_type == "qwen3" else ["query"]
    network = trained_by_peft(tmp_path / "theirs", headed(model, class_name), target_modules=targets, task_type=task)
    with pytest.raises(NotConvertible, match=r"modules_to_save.*without_head=True"):
        adaptkit.import_peft(tmp_path / "theirs", lang="sw", backbone=model)
    adapter = adaptkit.import_peft(tmp_path / "theirs", lang="sw", backbone=model, without_head=True)
    head = "score" if model_type == "qwen3" else "classifier"
    assert f"its head ({head}) is left out" in adapter.card.source
    torch.testing.assert_close(
        ours(model, adapter), theirs(backbone_in(network, model), model), rtol=1e-5, atol=1e-5
    )  # as above


def test_trained_parts_of_the_backbone_itself_are_no_head(tmp_path: Path) -> None:
    model = tiny_model("bert")
    whole = headed(model, "AutoModelForSequenceClassification")
    trained_by_peft(tmp_path / "theirs", whole, target_modules=["query"], modules_to_save=["LayerNorm"])
    with pytest.raises(NotConvertible, match="LayerNorm"):
        adaptkit.import_peft(tmp_path / "theirs", lang="sw", backbone=model, without_head=True)


WRAPPED = {
    "DDP": "module.base_model.model.bert.{module}.lora_{part}.default.weight",
    "DDP below peft": "base_model.model.module.bert.{module}.lora_{part}.weight",
    "compiled": "_orig_mod.base_model.model.bert.{module}.lora_{part}.weight",
    "compiled below peft": "base_model.model._orig_mod.bert.{module}.lora_{part}.weight",
    "DDP of compiled": "_orig_mod.module.base_model.model.bert.{module}.lora_{part}.weight",
    "compiled blocks": "base_model.model.bert.{wrapped_orig_mod}.lora_{part}.weight",
    "FSDP": "_fsdp_wrapped_module.base_model.model.bert.{wrapped_fsdp_wrapped_module}.lora_{part}.weight",
    "checkpointing": "base_model.model.bert.{wrapped_checkpoint_wrapped_module}.lora_{part}.weight",
}


@pytest.mark.parametrize("form", WRAPPED.values(), ids=WRAPPED)
def test_names_of_a_network_that_was_wrapped_in_training(form: str, tmp_path: Path) -> None:
    model = tiny_model("bert")
    alphas = {r"^bert\.encoder\.layer\.0\.attention\.self\.query": 3}
    trained_by_peft(
        tmp_path / "theirs",
        headed(model, "AutoModelForMaskedLM"),
        target_modules=["query", "output.dense"],
        alpha_pattern=alphas,
    )
    plain = adaptkit.import_peft(tmp_path / "theirs", lang="sw", backbone=model)
    file = tmp_path / "theirs" / "adapter_model.safetensors"
    renamed = {}
    for name, tensor in load_file(file).items():
        module, part = name.removeprefix("base_model.model.bert.").removesuffix(".weight").split(".lora_")
        block, rest = module[: len("encoder.layer.0")], module[len("encoder.layer.0") :]
        wrappers = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
        inside = {f"wrapped{wrapper}": f"{block}.{wrapper}{rest}" for wrapper in wrappers}
        renamed[form.format(module=module, part=part, **inside)] = tensor
    save_file(renamed, file)
    assert adaptkit.import_peft(tmp_path / "theirs", lang="sw", backbone=model).probes == plain.probes


def test_two_networks_in_one_folder_are_refused(tmp_path: Path) -> None:
    model = tiny_model("bert")
    trained_by_peft(tmp_path / "theirs", headed(model, "AutoModelForMaskedLM"), target_modules=["query"])
    file = tmp_path / "theirs" / "adapter_model.safetensors"
    tensors = load_file(file)
    other = {name.replace(".bert.", ".question_encoder."): tensor.clone() for name, tensor in tensors.items()}
    save_file({**tensors, **other}, file)
    with pytest.raises(MalformedConfig, match="two networks"):
        adaptkit.import_peft(tmp_path / "theirs", lang="sw", backbone=model, without_head=True)


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_a_class_that_transformers_does_not_have(model_type: str, tmp_path: Path) -> None:
    adapter = random_adapter(tiny_model(model_type), LORA)
    wrong: Any = "AutoModelForMultipleChoice" if model_type in DECODERS else "AutoModelForImageClassification"
    with pytest.raises(NotConvertible if model_type in DECODERS else ConfigError, match=wrong):
        adaptkit.export_peft(adapter, tmp_path / "lora", for_class=wrong)
    assert not (tmp_path / "lora").exists()


def test_the_folder_names_its_class_where_peft_has_a_place_for_it(tmp_path: Path) -> None:
    encoder, decoder = random_adapter(tiny_model("bert"), LORA), random_adapter(tiny_model("llama"), LORA)
    masked = adaptkit.export_peft(encoder, tmp_path / "masked", for_class="AutoModelForMaskedLM")
    causal = adaptkit.export_peft(decoder, tmp_path / "causal", for_class="AutoModelForCausalLM")
    assert json.loads((masked / "adapter_config.json").read_text())["auto_mapping"] == {
        "base_model_class": "BertForMaskedLM",
        "parent_library": "transformers.models.bert.modeling_bert",
    }
    assert json.loads((causal / "adapter_config.json").read_text())["task_type"] == "CAUSAL_LM"
    with pytest.raises(ConfigError, match="nothing was written"):
        adaptkit.export_peft(decoder, tmp_path / "causal", for_class="AutoModelForCausalLM")


def test_a_task_adapters_lora_goes_into_the_class_without_its_head(tmp_path: Path) -> None:
    model = tiny_model("xlm-roberta")
    head = HeadConfig(task_type="tagging", labels=("O", "B-PER"))
    adapter = random_adapter(model, AdapterConfig(method=LoraConfig(rank=3, alpha=3), head=head), kind="task", name="t")
    with pytest.raises(ConfigError, match="without_head=True"):
        adaptkit.export_peft(adapter, tmp_path / "t", for_class="AutoModelForTokenClassification")
    options: dict[str, Any] = {"for_class": "AutoModelForTokenClassification", "without_head": True}
    folder = adaptkit.export_peft(adapter, tmp_path / "t", **options)
    loaded = peft.PeftModel.from_pretrained(headed(model, options["for_class"]), folder).eval()
    torch.testing.assert_close(theirs(backbone_in(loaded, model), model), ours(model, adapter))
