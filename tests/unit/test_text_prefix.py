"""A task may have another prefix before its texts than the backbone is used with, and has it wherever they are read."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import adaptkit
from adaptkit.backbones.stored_tensors import MARKER
from adaptkit.config import MAX_PREFIX_LENGTH
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.spec import CONFIG_FILE, RECORD_FILE
from adaptkit.layers.sentence_vectors import SentenceVectors
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig
from tests.adapters import random_adapter
from tests.calls import train_adapter
from tests.saved import saved_backbone

TEXTS = ["the goat", "the river and the goat", "a river"]
LABELS = ("a", "b", "c")
EXAMPLES = [(text, LABELS[number % 3]) for number, text in enumerate(TEXTS * 8)]
USUAL = "query: "


@pytest.fixture
def prompted(model: AdaptedModel) -> AdaptedModel:
    model.backbone.text_prefix = USUAL
    return model


def task(model: AdaptedModel, prefix: str | None, name: str = "mine", task_type: str = "classification") -> Adapter:
    """Of the same weights, whatever the prefix."""
    head = HeadConfig(task_type=task_type, labels=LABELS, text_prefix=prefix)
    return random_adapter(model, AdapterConfig(method=LoraConfig(rank=2), head=head), kind="task", name=name)


def scores(model: AdaptedModel, texts: list[str], stack: str) -> torch.Tensor:
    return torch.tensor([list(answer.probabilities.values()) for answer in model.predict(texts, stack=stack)])


@pytest.mark.parametrize("prefix", ["", "topic: "])
def test_texts_are_read_behind_the_heads_prefix(prompted: AdaptedModel, prefix: str) -> None:
    usual, own = task(prompted, None), task(prompted, prefix, "own")
    prompted.attach(usual, replace(own, tensors=usual.tensors))
    found = scores(prompted, TEXTS, "task/own")
    assert not torch.allclose(found, scores(prompted, TEXTS, "task/mine"), atol=1e-3)
    # What the backbone is used with is nothing else than the start of a text.
    prompted.backbone.text_prefix = prefix
    torch.testing.assert_close(found, scores(prompted, TEXTS, "task/mine"), rtol=0, atol=1e-5)


def test_vectors_under_it_are_too(prompted: AdaptedModel) -> None:
    prompted.attach(task(prompted, ""), task(prompted, None, "usual"))
    found = prompted.encode(TEXTS, stack="task/mine")
    torch.testing.assert_close(found, prompted.encode(TEXTS, stack="task/mine", prefix=""), rtol=0, atol=0)
    assert not torch.allclose(found, prompted.encode(TEXTS, stack="task/mine", prefix=USUAL), atol=1e-3)
    usual = prompted.encode(TEXTS, stack="task/usual")
    torch.testing.assert_close(usual, prompted.encode(TEXTS, stack="task/usual", prefix=USUAL), rtol=0, atol=0)
    assert prompted.search_index(TEXTS, stack="task/mine", progress=False).origin.prefix == ""


def test_heads_of_both_kinds_answer_one_batch(prompted: AdaptedModel) -> None:
    prompted.attach(task(prompted, ""), task(prompted, None, "usual"))
    stacks = ["task/mine", "task/usual", "task/mine"]
    together = prompted.predict(TEXTS, stacks=stacks)
    for text, stack, answer in zip(TEXTS, stacks, together, strict=True):
        (alone,) = prompted.predict([text], stack=stack)
        assert answer.probabilities == pytest.approx(alone.probabilities, abs=1e-4)


def test_training_reads_behind_it_and_the_folder_says_so(prompted: AdaptedModel, tmp_path: Path) -> None:
    def trained(prefix: str | None) -> Adapter:
        return train_adapter(task="mine", data=EXAMPLES, prefix=prefix, backbone=prompted, max_steps=3, progress=False)

    without, usual = trained(""), trained(None)
    assert without.config.head is not None
    assert usual.config.head is not None
    assert (without.config.head.text_prefix, usual.config.head.text_prefix) == ("", None)
    assert without.weights_sha256 != usual.weights_sha256
    # The same as a training on a backbone that is used without.
    prompted.backbone.text_prefix = ""
    assert trained(None).weights_sha256 == without.weights_sha256
    prompted.backbone.text_prefix = USUAL
    read = adaptkit.load_adapter(without.save(tmp_path / "mine"))
    assert (read.config, read.weights_sha256) == (without.config, without.weights_sha256)
    record = json.loads((tmp_path / "mine" / RECORD_FILE).read_text())
    config = json.loads((tmp_path / "mine" / CONFIG_FILE).read_text())
    assert (record["format_version"], config["head"]["text_prefix"]) == (12, "")
    assert "- It reads texts without a prefix; adaptkit sees to it by itself." in without.render_card()
    assert "behind 'topic: '; adaptkit" in " ".join(trained("topic: ").render_card().split())
    assert "It reads texts" not in usual.render_card()
    usual.save(tmp_path / "usual")
    assert "text_prefix" not in json.loads((tmp_path / "usual" / CONFIG_FILE).read_text())["head"]


def test_the_backbones_own_prefix_is_no_other(prompted: AdaptedModel) -> None:
    found = train_adapter(task="mine", data=EXAMPLES, prefix=USUAL, backbone=prompted, max_steps=1, progress=False)
    assert found.config.head is not None
    assert found.config.head.text_prefix is None


def test_a_pipeline_reads_as_the_model_does(prompted: AdaptedModel) -> None:
    prompted.attach(task(prompted, ""), task(prompted, "tags: ", "tags", "tagging"))
    answers = adaptkit.as_pipeline(prompted, "task/mine", top_k=None)(TEXTS)
    for answer, scored in zip(prompted.predict(TEXTS, stack="task/mine"), answers, strict=True):
        assert {each["label"]: each["score"] for each in scored} == pytest.approx(answer.probabilities, abs=1e-4)
    words = [text.split() for text in TEXTS]
    wanted = [list(answer.tags) for answer in prompted.predict(words, stack="task/tags")]
    of_tokens: list[Any] = adaptkit.as_pipeline(prompted, "task/tags", ignore_labels=[])(TEXTS)
    for text, tokens, tags in zip(TEXTS, of_tokens, wanted, strict=True):
        starts = [found.start() for found in re.finditer(r"\S+", text)]
        assert [next(each["entity"] for each in tokens if each["end"] > start) for start in starts] == tags


def test_averages_have_the_prefix_that_all_of_them_have(prompted: AdaptedModel) -> None:
    prompted.attach(task(prompted, ""), task(prompted, "", "other"), task(prompted, "topic: ", "third"))
    same = adaptkit.Stack(adaptkit.Average({"task/mine": 0.5, "task/other": 0.5}))
    unlike = adaptkit.Stack(adaptkit.Average({"task/mine": 0.5, "task/third": 0.5}))
    for stack, prefix in ((same, ""), (unlike, USUAL)):
        found = prompted.encode(TEXTS, stack=stack)
        torch.testing.assert_close(found, prompted.encode(TEXTS, stack=stack, prefix=prefix), rtol=0, atol=0)


def test_a_merged_folder_names_the_prefix_of_its_head(tmp_path: Path) -> None:
    model = adaptkit.load_model(saved_backbone(tmp_path / "tiny"))
    model.backbone.text_prefix = USUAL
    model.attach(task(model, "", "tags", "tagging"))
    merged = adaptkit.merge(model, "task/tags", texts=TEXTS)
    merged.save(tmp_path / "merged")
    assert json.loads((tmp_path / "merged" / MARKER).read_text())["text_prefix"] == ""
    assert merged.model.backbone.text_prefix == USUAL


@pytest.mark.parametrize("of_stack", [False, True])
def test_a_folder_of_peft_has_no_place_for_it(
    prompted: AdaptedModel, tmp_path: Path, caplog: pytest.LogCaptureFixture, of_stack: bool
) -> None:
    own = task(prompted, "")
    prompted.attach(own)
    if of_stack:
        adaptkit.export_peft_stack(prompted, "task/mine", tmp_path / "peft", without_head=True)
    else:
        adaptkit.export_peft(own, tmp_path / "peft", without_head=True)
    (said,) = [record.getMessage() for record in caplog.records if "prefix" in record.getMessage()]
    assert "behind the prefix ''" in said


@pytest.mark.parametrize("wrong", ["x" * (MAX_PREFIX_LENGTH + 1), "two\nlines", "\x1b[31m", "\ud800"])
def test_a_prefix_that_cannot_be_one(wrong: str) -> None:
    with pytest.raises(ConfigError, match=f"at most {MAX_PREFIX_LENGTH} characters, in one line"):
        HeadConfig(task_type="classification", labels=LABELS, text_prefix=wrong)
    with pytest.raises(ConfigError, match=f"at most {MAX_PREFIX_LENGTH} characters, in one line"):
        train_adapter(task="mine", data=EXAMPLES, prefix=wrong, progress=False)


def test_a_translation_has_none() -> None:
    with pytest.raises(ConfigError, match="translation has no text prefix"):
        HeadConfig(task_type="translation", source_language="en", target_languages=("sw",), text_prefix="")


def test_a_backbone_that_leaves_its_prompt_out_of_vectors_has_no_other(prompted: AdaptedModel) -> None:
    prompted.backbone.sentences = SentenceVectors(counts_prompt=False, n_skipped=3)
    with pytest.raises(ConfigError, match="no task has another prefix"):
        train_adapter(task="mine", data=EXAMPLES, prefix="", backbone=prompted, progress=False)
