import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from adaptkit.backbones import Backbone
from adaptkit.errors import (
    ArchitectureMismatch,
    BackboneMismatch,
    CompatibilityError,
    ProbeMismatch,
    TokenizerMismatch,
    UnknownAdapter,
)
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.spec import CONFIG_FILE, RECORD_FILE
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter, load_adapter
from tests.adapters import random_adapter
from tests.hostile import put, put_tensors, tensors_of
from tests.tiny import tiny_backbone, tiny_model

TEXTS = ["Habari ya asubuhi", "The goat sleeps."]


def assert_refused(model: AdaptedModel, adapter: Adapter, error: type[CompatibilityError]) -> None:
    """Refused with this error, and the model is as before."""
    before = model.encode(TEXTS)
    with pytest.raises(error):
        model.attach(adapter)
    assert model.attached == ()
    assert torch.equal(model.encode(TEXTS), before)


def test_other_weights_of_the_same_shape(adapter: Adapter) -> None:
    assert_refused(tiny_model(seed=1), adapter, BackboneMismatch)


@pytest.mark.parametrize("part", ["attention.self.query", "attention.self.value", "output.dense"])
def test_a_backbone_with_a_small_lora_merged_into_one_matrix_a_block(adapter: Adapter, part: str) -> None:
    backbone = tiny_backbone()
    for block in range(2):
        weight = backbone.network.get_parameter(f"encoder.layer.{block}.{part}.weight")
        rows, columns = weight.shape
        weight.add_(torch.randn(rows, 2) @ torch.randn(2, columns), alpha=1e-4)
    assert_refused(AdaptedModel(backbone), adapter, BackboneMismatch)


def test_a_backbone_with_one_bias_trained_further(adapter: Adapter) -> None:
    backbone = tiny_backbone()
    backbone.network.get_parameter("encoder.layer.1.output.dense.bias").mul_(1.001)
    assert_refused(AdaptedModel(backbone), adapter, BackboneMismatch)


def test_a_merged_lora_between_two_backbones_in_bfloat16() -> None:
    ours, theirs = tiny_backbone(), tiny_backbone()
    for backbone in (ours, theirs):
        backbone.network.to(torch.bfloat16)  # type: ignore[arg-type]
    theirs.network.get_parameter("encoder.layer.0.attention.self.query.weight").mul_(1 + 2**-7)
    adapter = random_adapter(AdaptedModel(ours), AdapterConfig(method=LoraConfig(rank=4)))
    assert_refused(AdaptedModel(theirs), adapter, BackboneMismatch)


@pytest.mark.parametrize("n_blocks", [1, 3])
def test_fewer_or_more_layers(adapter: Adapter, n_blocks: int) -> None:
    assert_refused(tiny_model(n_blocks=n_blocks), adapter, ArchitectureMismatch)


def test_another_family_of_the_same_widths(adapter: Adapter) -> None:
    assert_refused(tiny_model("xlm-roberta"), adapter, ArchitectureMismatch)


def with_tokenizer(change: Callable[[dict[str, Any]], None]) -> Backbone:
    backbone = tiny_backbone()
    engine = backbone.tokenizer.backend_tokenizer
    content = json.loads(engine.to_str())
    change(content)
    special = {name: str(token) for name, token in backbone.tokenizer.special_tokens_map.items()}
    changed = Tokenizer.from_str(json.dumps(content))
    backbone.tokenizer = PreTrainedTokenizerFast(tokenizer_object=changed, **special)  # type: ignore[no-untyped-call]
    return backbone


def swap_two_ids(content: dict[str, Any]) -> None:
    vocabulary = content["model"]["vocab"]
    first, second = list(vocabulary)[20:22]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]


def rename_an_entry(content: dict[str, Any]) -> None:
    vocabulary = content["model"]["vocab"]
    merged = {piece for pair in content["model"]["merges"] for piece in pair}
    alone = next(piece for piece in vocabulary if len(piece) == 1 and piece not in merged)
    vocabulary["☃"] = vocabulary.pop(alone)


def change_nothing(content: dict[str, Any]) -> None:
    content.update()


def lowercase(content: dict[str, Any]) -> None:
    content["normalizer"] = {"type": "Lowercase"}


@pytest.mark.parametrize("change", [swap_two_ids, rename_an_entry, lowercase])
def test_another_tokenizer(adapter: Adapter, change: Callable[[dict[str, Any]], None]) -> None:
    assert_refused(AdaptedModel(with_tokenizer(change)), adapter, TokenizerMismatch)


def test_a_tokenizer_that_was_only_written_and_read_again_is_the_same(adapter: Adapter) -> None:
    model = AdaptedModel(with_tokenizer(change_nothing))
    model.attach(adapter)
    assert model.attached == (adapter.id,)


def test_tampered_weights_with_a_recomputed_hash(model: AdaptedModel, folder: Path) -> None:
    put_tensors(folder, {name: 1.1 * tensor for name, tensor in tensors_of(folder).items()})
    assert_refused(model, load_adapter(folder), ProbeMismatch)


def test_a_tampered_alpha(model: AdaptedModel, folder: Path) -> None:
    put(folder, CONFIG_FILE, "lora_alpha", 9.0)
    assert_refused(model, load_adapter(folder), ProbeMismatch)


def test_a_tampered_alpha_after_the_same_weights_were_proven(model: AdaptedModel, folder: Path) -> None:
    adapter = load_adapter(folder)
    model.attach(adapter)
    model.detach(adapter.id)
    put(folder, CONFIG_FILE, "lora_alpha", 9.0)
    assert_refused(model, load_adapter(folder), ProbeMismatch)


def test_a_tampered_activation(model: AdaptedModel, own_folder: Path) -> None:
    put(own_folder, CONFIG_FILE, "settings.activation", "silu")
    assert_refused(model, load_adapter(own_folder), ProbeMismatch)


def test_probes_beyond_every_float(model: AdaptedModel, folder: Path) -> None:
    put(folder, RECORD_FILE, "probes.0.vector.0", 1e300)
    assert_refused(model, load_adapter(folder), ProbeMismatch)


@pytest.mark.parametrize("damage", ["weights", "one matrix", "alpha", "vector"])
def test_what_was_tampered_with_behind_a_sound_one_of_its_origin(
    model: AdaptedModel, adapter: Adapter, tmp_path: Path, damage: str
) -> None:
    """The next adapters of an origin are tried on their shortest probe."""
    model.attach(adapter)
    config = AdapterConfig(method=LoraConfig(rank=4, alpha=8))
    folder = random_adapter(model, config, name="ha", seed=7).save(tmp_path / "ha")
    changed = tensors_of(folder)
    if damage == "weights":
        put_tensors(folder, {name: 1.1 * tensor for name, tensor in changed.items()})
    elif damage == "one matrix":
        first = next(iter(changed))
        put_tensors(folder, {**changed, first: changed[first].flip(0)})
    elif damage == "alpha":
        put(folder, CONFIG_FILE, "lora_alpha", 9.0)
    else:
        put(folder, RECORD_FILE, "probes.0.vector.0", 9.0)
    with pytest.raises(ProbeMismatch):
        model.attach(load_adapter(folder))
    assert model.attached == (adapter.id,)


def test_a_task_adapter_is_proven_whatever_lies_below(model: AdaptedModel, adapter: Adapter, tmp_path: Path) -> None:
    """In transfer, another language's adapter lies below than in training; each adapter is proven by itself."""
    config = AdapterConfig(method=LoraConfig(rank=2))
    upper = replace(random_adapter(model, config, kind="task", name="nli", seed=2), below=(adapter.id,))
    folder = upper.save(tmp_path / "nli")
    model.attach(load_adapter(folder))
    model.detach(upper.id)
    put(folder, RECORD_FILE, "probes.0.vector.0", 9.0)
    assert_refused(model, load_adapter(folder), ProbeMismatch)
    model.attach(adapter)
    with pytest.raises(ProbeMismatch):
        model.attach(load_adapter(folder))


def test_a_stack_that_was_trained_on_needs_what_lies_below(model: AdaptedModel, adapter: Adapter) -> None:
    config = AdapterConfig(method=LoraConfig(rank=2))
    upper = replace(random_adapter(model, config, kind="task", name="nli", seed=2), below=(adapter.id,))
    model.attach(upper)
    with pytest.raises(UnknownAdapter):
        model.encode(TEXTS, stack=upper)
    model.attach(adapter)
    both = model.encode(TEXTS, stack=f"{adapter.id} > {upper.id}")
    assert torch.equal(model.encode(TEXTS, stack=upper), both)
