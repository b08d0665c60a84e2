import inspect
import re
from dataclasses import fields
from typing import Any

import pytest

from adaptkit.config import ENCODER_LINEAR_SITES
from adaptkit.errors import ConfigError
from adaptkit.labelled import ReadingOptions
from adaptkit.methods import Bottleneck, BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.objectives import OBJECTIVES, Clm, Distill, Mlm
from adaptkit.options import options_of
from adaptkit.recipes import estimate_adapter, train_adapter
from adaptkit.recipes.place import model_of, processes_of
from adaptkit.recipes.settings import settings_of
from adaptkit.requests import Auto, DomainRequest, LanguageRequest, Output, Pretrained, Run, TaskRequest, request_for
from tests.calls import language_request
from tests.tiny import tiny_backbone, tiny_model

SHAPE = tiny_backbone().shape


REQUESTS = (LanguageRequest, DomainRequest, TaskRequest)


def test_train_adapter_takes_what_the_requests_have_with_their_defaults() -> None:
    parameters = dict(inspect.signature(train_adapter).parameters)
    assert parameters.pop("misplaced").kind is inspect.Parameter.VAR_KEYWORD
    entries = {entry.name: entry.default for request in REQUESTS for entry in fields(request)}
    assert parameters.keys() == entries.keys()
    assert len(parameters) <= 32
    left_out = {name: parameter.default for name, parameter in parameters.items()}
    assert request_for({**left_out, "lang": "sw"}) == LanguageRequest(lang="sw")
    for name, parameter in parameters.items():
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.default is entries[name] or parameter.default in (None, "auto", "lora"), name


def test_an_estimate_takes_what_train_adapter_takes() -> None:
    assert inspect.signature(estimate_adapter).parameters == inspect.signature(train_adapter).parameters


@pytest.mark.parametrize("made", [*REQUESTS, Run, Output, Pretrained, ReadingOptions])
def test_every_field_says_what_it_is(made: type) -> None:
    values = {"method", "objective", "backbone", "run", "output", "reading", "regularisers"}
    not_options = values if made in REQUESTS else {"callback"}  # a function, which no shell has
    assert {entry.field for entry in options_of(made).values()} == {
        entry.name for entry in fields(made) if entry.name not in not_options
    }


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
    "evaluate_every": {"evaluate_every": 0},
    "patience must be at least 0": {"patience": -1},
    "least_gain must be at least 0 and below 1": {"least_gain": 1.0},
    "anchor_share must be above 0 and at most 1, found 0": {"anchor_share": 0},
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
        language_request(lang="sw", **CONTRADICTIONS[message])


def test_a_loaded_model_stays_on_its_device() -> None:
    model = tiny_model()
    assert model_of(language_request(lang="sw", backbone=model).backbone) is model
    # What a backbone is loaded with is asked of one that is not loaded; a loaded model takes its place.
    with pytest.raises(ConfigError, match="there is no device 'gpu'"):
        processes_of(Pretrained(device="gpu"))
    with pytest.raises(ConfigError, match=r"adaptkit\.Pretrained\(\.\.\.\) or a loaded model, found 7"):
        train_adapter(lang="sw", backbone=7)  # type: ignore[arg-type]


def test_options_of_what_is_written_go_with_an_output() -> None:
    asked = language_request(lang="sw", output="sw", overwrite=True, checkpoint_every=100, checkpoint_minutes=1.5)
    settings = settings_of(asked.run, asked.output, max_steps=1, learning_rate=1e-3)
    assert (settings.checkpoint_every, settings.checkpoint_minutes) == (100, 1.5)


def test_when_a_run_ends_early_is_the_runs_to_say() -> None:
    asked = language_request(lang="sw", evaluate_every=50, patience=2, least_gain=0.01)
    settings = settings_of(asked.run, asked.output, max_steps=900, learning_rate=1e-3)
    assert (settings.evaluate_every, settings.patience, settings.least_gain) == (50, 2, 0.01)
    assert {"evaluate_every": 50, "patience": 2, "least_gain": 0.01}.items() <= asked.record(Distill()).items()
    default = settings_of(Run(patience=0), asked.output, max_steps=900, learning_rate=1e-3)
    assert (default.evaluate_every, default.patience) == (180, None)


def test_the_adapter_that_is_asked_for() -> None:
    lora = language_request(lang="sw", rank=4, alpha=8.0, blocks=(0, 2)).adapter_config(SHAPE)
    assert lora.method == LoraConfig(rank=4, alpha=8.0, blocks=(0, 2))
    assert lora.invertible is None
    bottleneck = language_request(lang="sw", method="bottleneck", invertible=True).adapter_config(SHAPE)
    assert (bottleneck.method, bottleneck.invertible) == (BottleneckConfig(), InvertibleConfig())


def test_a_lora_acts_at_every_linear_site_that_the_backbone_has() -> None:
    config = language_request(lang="sw").adapter_config(tiny_backbone("llama").shape)
    assert set(config.method.sites) == {*ENCODER_LINEAR_SITES, "ffn.gate"}
    assert "ffn.gate" not in language_request(lang="sw").adapter_config(SHAPE).method.sites


def test_the_record_names_no_path_and_no_text() -> None:
    request = language_request(
        lang="sw", text=["a secret"], output="secret/folder", backbone="secret-model", blocks=(0, 1)
    )
    assert "secret" not in str(request.record())
    assert request.record()["blocks"] == "0,1"


def test_the_record_has_what_was_looked_at() -> None:
    request = language_request(lang="sw")
    assert "rank" in request.record()
    assert "reduction_factor" not in request.record()
    assert request.record()["objective"] == "auto"
    assert "anchor" in request.record(Mlm())
    assert "token_anchor" not in request.record(Mlm())
    assert "anchor" not in request.record(Distill())
    assert request.record(Distill(token_anchor=0.1))["token_anchor"] == 0.1


FOREIGN: dict[str, dict[str, Any]] = {
    "reduction_factor does not go with method 'lora': reduction_factor belongs to method 'bottleneck'": {
        "reduction_factor": 4
    },
    "rank and dropout belong to method 'lora' and method 'dora'. Leave them out": {
        "method": "bottleneck",
        "rank": 4,
        "dropout": 0.1,
    },
    "anchor does not go with objective 'distill': anchor belongs to objective 'mlm'": {
        "objective": "distill",
        "anchor": 2.0,
    },
    "anchor, token_anchor do not go with each other": {"anchor": 2.0, "token_anchor": 1.0},
    "there is no option 'bach_size'. Did you mean 'batch_size'?": {"bach_size": 4},
    "data does not go with a language adapter (say task=... for a task adapter)": {"data": "a.tsv"},
}


@pytest.mark.parametrize("message", FOREIGN)
def test_a_foreign_option_is_refused_with_what_it_belongs_to(message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        language_request(lang="sw", **FOREIGN[message])


def test_an_objective_that_is_left_open_takes_options_of_the_one_that_it_comes_to() -> None:
    auto = language_request(lang="sw", full_vocabulary=True).objective
    assert isinstance(auto, Auto)
    assert auto.decided(OBJECTIVES["mlm"]) == Mlm(full_vocabulary=True)
    assert auto.decided(OBJECTIVES["clm"]) == Clm(full_vocabulary=True)
    with pytest.raises(ConfigError, match="belongs to objective 'mlm' and objective 'clm'"):
        auto.decided(OBJECTIVES["distill"])


def test_names_stand_for_values_with_their_defaults() -> None:
    asked = request_for({"lang": "sw", "method": "bottleneck", "objective": "mlm", "output": "sw", "backbone": "a/b"})
    assert asked == LanguageRequest(
        lang="sw", method=Bottleneck(), objective=Mlm(), output=Output("sw"), backbone=Pretrained("a/b")
    )
    assert asked == language_request(lang="sw", method="bottleneck", objective="mlm", output="sw", backbone="a/b")


def test_languages_are_drawn_more_evenly_than_sources_of_one_language() -> None:
    several = {"lang": "sw,ha", "parallel": {"sw": "a.tsv", "ha": "b.tsv"}, "name": "both"}
    for asked, alpha in (({"lang": "sw"}, 1.0), (several, 0.3), ({"task": "topics", "data": "a.tsv"}, 0.3)):
        assert request_for(asked).drawing_alpha == alpha
        assert request_for({**asked, "sampling_alpha": 0.0}).drawing_alpha == 0.0
    assert request_for(several).record()["sampling_alpha"] == 0.3
