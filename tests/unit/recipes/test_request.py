import inspect
from dataclasses import MISSING, fields
from typing import Any

import pytest

from adaptkit.config import LINEAR_SITES
from adaptkit.errors import ConfigError
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.recipes import TrainingRequest, train_adapter
from tests.tiny import tiny_backbone, tiny_model

SHAPE = tiny_backbone().shape


def test_train_adapter_takes_the_fields_of_the_request_in_their_order() -> None:
    parameters = inspect.signature(train_adapter).parameters.values()
    entries = fields(TrainingRequest)
    assert [parameter.name for parameter in parameters] == [entry.name for entry in entries]
    for parameter, entry in zip(parameters, entries, strict=True):
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.default == (parameter.empty if entry.default is MISSING else entry.default), entry.name


def test_every_field_says_what_it_is() -> None:
    assert all(entry.metadata["help"] for entry in fields(TrainingRequest))


CONTRADICTIONS: dict[str, dict[str, Any]] = {
    "text and parallel": {"text": "a.txt", "parallel": "b.tsv"},
    "distillation needs": {"text": "a.txt", "objective": "distill"},
    "objective is": {"objective": "rtd"},
    "method is": {"method": "prefix"},
    "only imported": {"method": "bottleneck_madx"},
    "rank, dropout do not go with": {"method": "bottleneck", "rank": 4, "dropout": 0.1},
    "reduction_factor does not go with": {"method": "lora", "reduction_factor": 4},
    "resume needs the output": {"resume": True},
    "^checkpoint_every needs an output": {"checkpoint_every": 100},
    "^checkpoint_minutes needs an output": {"checkpoint_minutes": 1.5},
    "^overwrite, checkpoint_every need an output": {"overwrite": True, "checkpoint_every": 100},
    "column names": {"parallel": "b.tsv", "column": "text"},
    "source_lang is": {"text": "a.txt", "source_lang": "en"},
    "max_length": {"max_length": 4},
    "max_steps": {"max_steps": 0},
    "max_tokens": {"max_tokens": 0},
    "batch_size": {"batch_size": 0},
    "learning_rate": {"learning_rate": 0.0},
    "head_warmup": {"max_steps": 10, "head_warmup": 10},
    "anchor": {"anchor": -1.0},
    "precision": {"precision": "fp8"},
    "rank must": {"rank": 0},
    "dropout must": {"dropout": 1.0},
    "lora cannot act at": {"sites": ("block.output",)},
    "blocks must": {"blocks": (1, 0)},
}


@pytest.mark.parametrize("message", CONTRADICTIONS)
def test_contradictory_options_are_refused_before_any_text_is_read(message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainingRequest(lang="sw", **CONTRADICTIONS[message])


def test_a_loaded_model_stays_on_its_device() -> None:
    model = tiny_model()
    for device in ("auto", "cpu"):
        assert TrainingRequest(lang="sw", backbone=model, device=device).device == device
    # torch's device without memory, as any other than the CPU.
    with pytest.raises(ConfigError, match=r"device='meta' is for .* a loaded model was given, which is on 'cpu'"):
        TrainingRequest(lang="sw", backbone=model, device="meta")
    with pytest.raises(ConfigError, match="there is no device 'gpu'"):
        TrainingRequest(lang="sw", backbone=model, device="gpu")
    with pytest.raises(ConfigError, match="bits and embeddings are for"):
        TrainingRequest(lang="sw", backbone=model, bits=4)


def test_options_of_what_is_written_go_with_an_output() -> None:
    request = TrainingRequest(lang="sw", output="sw", overwrite=True, checkpoint_every=100, checkpoint_minutes=1.5)
    assert request.training_settings(max_steps=1, learning_rate=1e-3, head_warmup_steps=0).checkpoint_every == 100


def test_the_adapter_that_is_asked_for() -> None:
    lora = TrainingRequest(lang="sw", rank=4, alpha=8.0, blocks=(0, 2)).adapter_config(SHAPE)
    assert lora.method == LoraConfig(rank=4, alpha=8.0, blocks=(0, 2))
    assert lora.invertible is None
    bottleneck = TrainingRequest(lang="sw", method="bottleneck", invertible=True).adapter_config(SHAPE)
    assert (bottleneck.method, bottleneck.invertible) == (BottleneckConfig(), InvertibleConfig())


def test_a_lora_acts_at_every_linear_site_that_the_backbone_has() -> None:
    config = TrainingRequest(lang="sw").adapter_config(tiny_backbone("llama").shape)
    assert config.method.sites == LINEAR_SITES
    assert "ffn.gate" not in TrainingRequest(lang="sw").adapter_config(SHAPE).method.sites


def test_the_record_names_no_path_and_no_text() -> None:
    request = TrainingRequest(
        lang="sw", text=["a secret"], output="secret/folder", backbone="secret-model", blocks=(0, 1)
    )
    assert "secret" not in str(request.record())
    assert request.record()["blocks"] == "0,1"


def test_the_record_has_what_was_looked_at() -> None:
    request = TrainingRequest(lang="sw")
    assert "rank" in request.record()
    assert "reduction_factor" not in request.record()
    assert {"anchor", "token_anchor"} <= request.record().keys()
    assert "token_anchor" not in request.record("mlm")
    assert "anchor" not in request.record("distill")
