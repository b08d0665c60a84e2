"""A stack with a head inside a transformers pipeline answers as `predict` does."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import adaptkit
from adaptkit.errors import ConfigError, NoHead, NotConvertible
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.interchange.pipelines import StackedNetwork
from adaptkit.methods import BottleneckConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig
from tests.adapters import attach_random, random_adapter
from tests.tiny import prefixed_model, tiny_model

LABELS = ("farming", "health", "weather")
TAGS = ("O", "B-PER", "I-PER", "B-LOC")
HEADS = {
    "topics": HeadConfig(task_type="classification", labels=LABELS),
    "nli": HeadConfig(task_type="classification", labels=LABELS, pairs=True),
    "ner": HeadConfig(task_type="tagging", labels=TAGS),
    "qa": HeadConfig(task_type="qa"),
    "choice": HeadConfig(task_type="choice"),
    "sts": HeadConfig(task_type="similarity"),
}
TEXTS = ["The goat sleeps in the house.", "Rain", "Habari ya asubuhi", "Akuya tana barci. " * 60]
PAIRS = [(TEXTS[0], TEXTS[1]), (TEXTS[2], "The goat"), (TEXTS[3], TEXTS[3])]
WORDS = [["Amina", "lives", "in", "Kumasi", "."], ["The", "goat", "sleeps"], ["Rain"]]
PREFIXES = ["", "query: "]


def stacked(prefix: str = "", model_type: str = "bert") -> AdaptedModel:
    model = prefixed_model(prefix, model_type)
    attach_random(model, "language/sw", AdapterConfig(method=LoraConfig(rank=4))).eval()
    for seed, (name, head) in enumerate(HEADS.items()):
        config = AdapterConfig(method=BottleneckConfig(reduction_factor=4), head=head)
        attach_random(model, f"task/{name}", config, seed=seed).eval()
    return model


def pipe(model: AdaptedModel, stack: str, **options: object) -> Any:  # noqa: ANN401 - its answers have many forms
    return adaptkit.as_pipeline(model, stack, **options)


def same_labels(found: list[list[dict[str, Any]]], wanted: list[Any]) -> None:
    for ours, theirs in zip(wanted, found, strict=True):
        assert theirs[0]["label"] == ours.label
        scores = {answer["label"]: answer["score"] for answer in theirs}
        assert scores == pytest.approx(dict(ours.probabilities), abs=1e-5)


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("model_type", ["bert", "deberta-v2", "qwen3"])
def test_labels_and_scores_are_those_of_predict(model_type: str, prefix: str) -> None:
    model = stacked(prefix, model_type)
    wanted = model.predict(TEXTS, stack="sw > topics")
    classify = pipe(model, "sw > topics", top_k=None)
    for batch_size in (1, 3):
        same_labels(classify(TEXTS, batch_size=batch_size), wanted)
    (best,) = pipe(model, "sw > topics")(TEXTS[0])
    assert best == {"label": wanted[0].label, "score": pytest.approx(max(wanted[0].probabilities.values()), abs=1e-5)}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_pairs_are_read_as_predict_reads_them(prefix: str) -> None:
    model = stacked(prefix)
    classify = pipe(model, "sw > nli", top_k=None, batch_size=2)
    wanted = model.predict(PAIRS, stack="sw > nli")
    same_labels(classify([{"text": text, "text_pair": pair} for text, pair in PAIRS]), wanted)
    same_labels(classify(PAIRS), wanted)
    with pytest.raises(ConfigError, match="is for pairs of texts"):
        classify("one text")


def test_texts_may_be_cut_earlier() -> None:
    model = stacked()
    classify = pipe(model, "topics", top_k=None)
    same_labels(classify(TEXTS, max_length=6, truncation=True), model.predict(TEXTS, stack="topics", max_length=6))
    for options in ({"truncation": False}, {"add_special_tokens": False}):
        with pytest.raises(ConfigError, match="max_length"):
            classify(TEXTS, **options)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_first_token_of_each_word_has_the_tag_of_predict(prefix: str) -> None:
    model = stacked(prefix)
    tag = pipe(model, "sw > ner", ignore_labels=[])
    for words, wanted in zip(WORDS, model.predict(WORDS, stack="sw > ner"), strict=True):
        ((*tokens,),) = tag(words, is_split_into_words=True)
        text, starts = " ".join(words), [0]
        for word in words[:-1]:
            starts.append(starts[-1] + len(word) + 1)
        first = {token["start"]: token["entity"] for token in reversed(tokens)}
        assert [first[start] for start in starts] == list(wanted.tags)
        assert all(0 <= token["start"] < token["end"] <= len(text) for token in tokens)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_sentence_is_tagged_without_its_prefix(prefix: str) -> None:
    model = stacked(prefix)
    sentence = " ".join(WORDS[0])
    tag = pipe(model, "sw > ner", ignore_labels=[])
    tokens = tag(sentence)
    assert "".join(sentence[token["start"] : token["end"]] for token in tokens) == sentence
    _, row = model.backbone.pad(model.backbone.tokenize([sentence]))
    assert len(tokens) == int(row.sum()) - model.backbone.prefix_length - 1
    assert tag([sentence, "Rain"], batch_size=2)[0] == [{**t, "score": pytest.approx(t["score"])} for t in tokens]
    groups = pipe(model, "sw > ner", aggregation_strategy="simple")(sentence)
    assert {group["entity_group"] for group in groups} <= {"PER", "LOC"}


def test_windows_would_lack_the_prefix() -> None:
    tag = pipe(stacked("query: "), "ner", aggregation_strategy="simple", stride=4)
    with pytest.raises(ConfigError, match="before every text"):
        tag(TEXTS[3])
    assert pipe(stacked(), "ner", aggregation_strategy="simple", stride=4, ignore_labels=[])(TEXTS[3])


def test_transformers_own_function_takes_the_network() -> None:
    model = stacked()
    network: Any = StackedNetwork(model, "topics")
    tokenizer: Any = model.backbone.tokenizer
    classify = transformers.pipeline("text-classification", model=network, tokenizer=tokenizer, device="cpu")
    assert classify(TEXTS[0])[0]["label"] == model.predict(TEXTS[:1], stack="topics")[0].label


def test_a_swap_acts_at_once_unless_the_labels_are_others(model: AdaptedModel) -> None:
    def topics(labels: tuple[str, ...], seed: int) -> adaptkit.Adapter:
        head = HeadConfig(task_type="classification", labels=labels)
        config = AdapterConfig(method=LoraConfig(rank=2), head=head)
        return random_adapter(model, config, kind="task", name="topics", seed=seed)

    model.attach(topics(LABELS, 1))
    classify = pipe(model, "topics", top_k=None)
    model.swap(topics(LABELS, 2))
    same_labels(classify(TEXTS), model.predict(TEXTS, stack="topics"))
    model.swap(topics(LABELS[::-1], 2))
    with pytest.raises(ConfigError, match="make the pipeline anew"):
        classify(TEXTS)


@pytest.mark.parametrize(("name", "said"), [("qa", "dropped"), ("choice", "there is none"), ("sts", "there is none")])
def test_heads_without_a_pipeline_are_refused(name: str, said: str) -> None:
    with pytest.raises(NotConvertible, match=said):
        pipe(stacked(), name)


def test_there_must_be_a_head_and_nothing_is_saved(tmp_path: Path) -> None:
    model = stacked()
    with pytest.raises(NoHead):
        pipe(model, "sw")
    with pytest.raises(NotConvertible, match="nothing was saved"):
        pipe(model, "topics").save_pretrained(tmp_path / "saved")
    classify = pipe(model, "topics")
    assert isinstance(classify, transformers.TextClassificationPipeline)
    assert isinstance(pipe(model, "ner"), transformers.TokenClassificationPipeline)
    assert "StackedNetwork" in repr(classify)
    assert classify.dtype == torch.float32


def test_tokenizers_that_pad_on_the_left() -> None:
    model = stacked(model_type="llama")
    model.backbone.tokenizer.padding_side = "left"
    found = pipe(model, "topics", top_k=None, batch_size=4)(TEXTS)
    same_labels(found, model.predict(TEXTS, stack="topics"))
    assert tiny_model("llama").backbone.tokenizer.padding_side == "right"
