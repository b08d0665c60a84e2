"""Merged backbones against the stacks that they replace."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel, AutoModelForQuestionAnswering, AutoModelForTokenClassification

import adaptkit
from adaptkit.backbones.stored_tensors import MARKER
from adaptkit.composition import Average, Stack
from adaptkit.errors import BackboneMismatch, ConfigError, MergeLoss
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, DoraConfig, HeadOnlyConfig, Ia3Config, LoraConfig, MethodConfig
from adaptkit.model import AdaptedModel, StackLike
from adaptkit.task_types import HeadConfig
from adaptkit.weights.merge import merge
from tests.adapters import attach_random, random_adapter
from tests.saved import saved_backbone
from tests.tiny import ARCHITECTURES, tiny_config, tiny_model

TEXTS = ["Habari ya asubuhi", "The goat sleeps.", "Akuya tana barci a gida."]
VARIANTS: dict[str, MethodConfig] = {
    "lora": LoraConfig(rank=4, alpha=8),
    "rank stabilized": LoraConfig(rank=4, alpha=8, scaling="rank_stabilized"),
    "with dropout": LoraConfig(rank=2, dropout=0.5),
    "some sites and blocks": LoraConfig(rank=3, sites=("attention.query", "ffn.output"), blocks=(1,)),
    "scales": Ia3Config(),
    "scales of linear layers": Ia3Config(sites=("attention.query", "attention.output", "ffn.input", "ffn.output")),
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_one_adapter_merged_is_that_adapter(model_type: str, variant: MethodConfig) -> None:
    model = tiny_model(model_type)
    attach_random(model, "language/sw", AdapterConfig(method=variant)).eval()
    stacked = model.encode(TEXTS, stack="sw")
    for stack in ("sw", Average({"language/sw": 1.0})):
        merged = merge(model, stack, texts=TEXTS)
        assert merged.output_error < 1e-4
        torch.testing.assert_close(merged.model.encode(TEXTS), stacked, rtol=1e-4, atol=1e-5)
        assert merged.model.attached == ()


def test_stacks_and_averages_are_merged_as_they_act(model: AdaptedModel) -> None:
    for number, name in enumerate(("language/sw", "language/ha", "domain/farming")):
        attach_random(model, name, AdapterConfig(method=VARIANTS["lora"]), seed=number)
    stack = Stack(Average({"language/sw": 0.75, "language/ha": 0.25}), "domain/farming")
    merged = merge(model, stack)
    torch.testing.assert_close(merged.model.encode(TEXTS), model.encode(TEXTS, stack=stack), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "stack",
    [
        "language/lora > domain/scaled",
        "language/scaled > domain/lora",
        "dora > domain/scaled > inner",
        Stack(Average({"language/lora": 0.3, "language/scaled": 0.6}), "inner"),
        Stack("language/scaled", Average({"domain/scaled": 0.5, "domain/lora": 0.8})),
    ],
    ids=str,
)
def test_what_is_scaled_is_what_lies_below(stack: StackLike, model: AdaptedModel) -> None:
    every: dict[str, MethodConfig] = {
        "language/lora": VARIANTS["lora"],
        "language/dora": DoraConfig(rank=3),
        "language/scaled": VARIANTS["scales of linear layers"],
        "domain/lora": VARIANTS["lora"],
        "domain/scaled": VARIANTS["scales of linear layers"],
        "task/inner": VARIANTS["scales"],
    }
    for number, (name, method) in enumerate(every.items()):
        layers = attach_random(model, name, AdapterConfig(method=method), seed=number).eval()
        for tensor in layers.parameters() if isinstance(method, Ia3Config) else ():
            tensor.data += 1
    assert merge(model, stack, texts=TEXTS).output_error < 1e-4


@pytest.mark.parametrize("bits", [16, 8])
def test_scales_are_folded_into_biases_too(bits: Any, tmp_path: Path) -> None:  # noqa: ANN401
    model = adaptkit.load_model(saved_backbone(tmp_path / "tiny"), bits=bits)
    attach_random(model, "language/sw", AdapterConfig(method=VARIANTS["scales"])).eval()
    merged = merge(model, "sw", texts=TEXTS)
    assert merged.output_error < 0.05
    for name, bias in merged.model.network.named_parameters():
        scaled = name.endswith(("key.bias", "value.bias"))
        same = torch.equal(bias, model.network.get_parameter(name))
        assert same is not scaled or not name.endswith(".bias")
    assert merged.model.backbone.fingerprint.compare(model.backbone.fingerprint) == "different"


def test_the_model_stays_as_it_was(model: AdaptedModel) -> None:
    attach_random(model, "language/sw", AdapterConfig(method=VARIANTS["lora"]))
    bare, stacked = model.encode(TEXTS), model.encode(TEXTS, stack="sw")
    merge(model, "sw")
    assert torch.equal(model.encode(TEXTS), bare)
    assert torch.equal(model.encode(TEXTS, stack="sw"), stacked)


def test_a_merged_backbone_is_another_one_and_takes_adapters(model: AdaptedModel) -> None:
    adapter = random_adapter(model, AdapterConfig(method=VARIANTS["lora"]))
    model.attach(adapter)
    merged = merge(model, "sw").model
    assert merged.backbone.fingerprint.compare(model.backbone.fingerprint) == "different"
    with pytest.raises(BackboneMismatch):
        merged.attach(adapter)
    attach_random(merged, "domain/farming", AdapterConfig(method=VARIANTS["lora"]))
    assert not torch.allclose(merged.encode(TEXTS, stack="farming"), merged.encode(TEXTS))


def test_a_saved_merge_is_an_ordinary_folder(tmp_path: Path) -> None:
    model = adaptkit.load_model(saved_backbone(tmp_path / "tiny"))
    attach_random(model, "language/sw", AdapterConfig(method=VARIANTS["lora"]))
    merged = merge(model, "sw")
    merged.save(tmp_path / "merged")
    again = adaptkit.load_model(tmp_path / "merged")
    torch.testing.assert_close(again.encode(TEXTS), model.encode(TEXTS, stack="sw"), rtol=1e-4, atol=1e-5)
    assert again.backbone.fingerprint.compare(merged.model.backbone.fingerprint) == "identical"
    assert AutoModel.from_pretrained(tmp_path / "merged").config.model_type == "bert"
    with pytest.raises(ConfigError, match="exists already"):
        merged.save(tmp_path / "merged")


@pytest.mark.parametrize("bits", [8, 4])
def test_a_merge_into_few_bits_tells_its_loss_and_refuses_a_large_one(bits: int, tmp_path: Path) -> None:
    model = adaptkit.load_model(saved_backbone(tmp_path / "tiny"), bits=bits)  # type: ignore[arg-type]
    attach_random(model, "language/sw", AdapterConfig(method=VARIANTS["lora"]))
    merged = merge(model, "sw", texts=TEXTS, score=lambda *_: 0.5, max_error=10)
    assert 1e-3 < merged.output_error < (0.1 if bits == 8 else 2.0)
    assert merged.score == (0.5, 0.5)
    with pytest.raises(MergeLoss, match=f"at {bits} bits, vectors are off"):
        merge(model, "sw", texts=TEXTS, max_error=merged.output_error / 2)
    with pytest.raises(MergeLoss, match="score falls from 1 to 0"):
        merge(model, "sw", score=lambda _, stack: float(stack is not None), max_error=10)
    with pytest.raises(ConfigError, match="cannot be written"):
        merged.save(tmp_path / "merged")


def test_a_head_is_not_lost_in_silence(model: AdaptedModel) -> None:
    head = HeadConfig(task_type="classification", labels=("a", "b"))
    model.attach(random_adapter(model, AdapterConfig(method=VARIANTS["lora"], head=head), kind="task", name="topics"))
    with pytest.raises(ConfigError, match="task/topics has a head"):
        merge(model, "topics")


TAGS = ("O", "B-PER", "I-PER")
SENTENCES = [["Amina", "lives", "in", "Kumasi", "."], ["Rain"]]
QUESTIONS = [("Where does Amina live?", "Amina lives in Kumasi."), ("Who sleeps?", "The goat sleeps in the house.")]


def stack_with(model: AdaptedModel, head: HeadConfig) -> str:
    attach_random(model, "language/sw", AdapterConfig(method=VARIANTS["lora"])).eval()
    attach_random(model, "task/mine", AdapterConfig(method=VARIANTS["lora"], head=head), seed=2).eval()
    return "sw > mine"


def test_a_head_that_transformers_does_not_have_for_the_family_is_told(tmp_path: Path) -> None:
    model = tiny_model("gemma3_text")
    merged = merge(model, stack_with(model, HeadConfig(task_type="tagging", labels=TAGS)))
    with pytest.raises(ConfigError, match="no AutoModelForTokenClassification for a gemma3_text backbone"):
        merged.save(tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_a_class_with_more_than_the_head_is_not_written() -> None:
    model, head = tiny_model("modernbert"), HeadConfig(task_type="tagging", labels=TAGS)
    config = AdapterConfig(method=VARIANTS["lora"], head=head)
    model.attach(random_adapter(model, config, kind="task", name="mine"))
    with pytest.raises(ConfigError, match="task/mine has a head"):
        merge(model, "mine")


WITH_CLASS = [
    name for name in ARCHITECTURES if type(tiny_config(name)) in AutoModelForTokenClassification._model_mapping
]


@pytest.mark.parametrize("model_type", [name for name in WITH_CLASS if name != "modernbert"])
def test_a_tagger_is_saved_with_its_head(model_type: str, tmp_path: Path) -> None:
    model = tiny_model(model_type)
    stack = stack_with(model, HeadConfig(task_type="tagging", labels=TAGS))
    merged = merge(model, stack, score=lambda model, stack: float(model.predict(SENTENCES, stack=stack)[0].n_read))
    assert merged.model.predict(SENTENCES, stack=merged.stack) == model.predict(SENTENCES, stack=stack)
    merged.save(tmp_path / "merged")
    theirs = AutoModelForTokenClassification.from_pretrained(tmp_path / "merged")
    assert theirs.config.id2label == dict(enumerate(TAGS))
    ids, mask = model.backbone.pad([ids for ids, _ in model.backbone.tokenize_words(SENTENCES)])
    with torch.no_grad(), model.active(stack):
        wanted = model.head_of(stack)[0](model(ids, mask), mask)
        found = theirs(ids, mask).logits
    torch.testing.assert_close(found[mask.bool()], wanted[mask.bool()], rtol=1e-4, atol=1e-5)
    again, rows = adaptkit.load_model(tmp_path / "merged"), model.backbone.tokenize(TEXTS)
    torch.testing.assert_close(again.encode_ids(rows), model.encode_ids(rows, stack=stack), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model_type", ["bert", "distilbert", "llama"])
def test_a_head_for_answers_is_saved_too(model_type: str, tmp_path: Path) -> None:
    model = tiny_model(model_type)
    stack = stack_with(model, HeadConfig(task_type="qa"))
    merged = merge(model, stack)
    ours, theirs = merged.model.predict(QUESTIONS, stack=merged.stack), model.predict(QUESTIONS, stack=stack)
    assert [answer.text for answer in ours] == [answer.text for answer in theirs]
    merged.save(tmp_path / "merged")
    loaded = AutoModelForQuestionAnswering.from_pretrained(tmp_path / "merged")
    ids, mask = model.backbone.pad(model.backbone.tokenize_pairs(QUESTIONS))
    with torch.no_grad(), model.active(stack):
        wanted = model.head_of(stack)[0](model(ids, mask), mask)
        found = loaded(ids, mask)
    both = torch.stack([found.start_logits, found.end_logits], dim=-1)
    torch.testing.assert_close(both[mask.bool()], wanted[mask.bool()], rtol=1e-4, atol=1e-5)


def test_a_head_alone_is_saved_on_the_backbone_as_it_was(model: AdaptedModel, tmp_path: Path) -> None:
    head = HeadConfig(task_type="tagging", labels=TAGS)
    attach_random(model, "task/mine", AdapterConfig(method=HeadOnlyConfig(), head=head)).eval()
    merged = merge(model, "mine")
    assert (merged.output_error, merged.stack) == (0, "task/mine")
    merged.save(tmp_path / "merged")
    assert AutoModelForTokenClassification.from_pretrained(tmp_path / "merged").num_labels == len(TAGS)


def test_a_saved_merge_keeps_the_text_prefix(tmp_path: Path) -> None:
    folder = saved_backbone(tmp_path / "tiny")
    (folder / MARKER).write_text('{"name": "tiny", "release": "r", "text_prefix": "query: "}', encoding="utf-8")
    model = adaptkit.load_model(folder)
    attach_random(model, "language/sw", AdapterConfig(method=VARIANTS["lora"]))
    merge(model, "sw").save(tmp_path / "merged")
    again = adaptkit.load_model(tmp_path / "merged")
    assert again.backbone.text_prefix == "query: "
    torch.testing.assert_close(again.encode(TEXTS), model.encode(TEXTS, stack="sw"), rtol=1e-4, atol=1e-5)


def test_a_table_in_pages_is_not_saved(tmp_path: Path) -> None:
    model = adaptkit.load_model(saved_backbone(tmp_path / "tiny"), embeddings="paged")
    attach_random(model, "language/sw", AdapterConfig(method=VARIANTS["lora"]))
    merged = merge(model, "sw", texts=TEXTS)
    assert merged.output_error < 1e-3
    with pytest.raises(ConfigError, match="cannot be written"):
        merged.save(tmp_path / "merged")


def test_the_copy_does_not_recompute_and_the_hooks_stay(model: AdaptedModel) -> None:
    attach_random(model, "language/sw", AdapterConfig(method=VARIANTS["lora"]))
    stacked = model.encode(TEXTS, stack="sw")
    model.gradient_checkpointing(on=True)
    merged = merge(model, "sw").model
    torch.testing.assert_close(merged.encode(TEXTS), stacked, rtol=1e-4, atol=1e-5)
    assert torch.equal(model.encode(TEXTS, stack="sw"), stacked)


def test_what_is_no_change_of_a_weight_is_refused(model: AdaptedModel) -> None:
    attach_random(model, "language/sw", AdapterConfig(method=BottleneckConfig(reduction_factor=4)))
    with pytest.raises(ConfigError, match="BottleneckLayer"):
        merge(model, "sw")
    with pytest.raises(ConfigError, match="nothing to merge"):
        merge(model, None)
