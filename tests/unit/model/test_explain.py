"""What explanations must hold to: sums, baselines, planted words, adapters that do nothing, heads that know nothing."""

import logging
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import adaptkit
from adaptkit import Average, Explaining, Fuse, Stack
from adaptkit.errors import ConfigError, NoHead
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.holding import Bits
from adaptkit.methods import BottleneckConfig, FusionConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel, StackLike
from adaptkit.task_types import HeadConfig
from tests.adapters import attach_random
from tests.examples import imported
from tests.methods import METHODS, at_sites_of, methods_on
from tests.pieces import OWN_PIECES, invented_sentences
from tests.saved import saved_backbone
from tests.tiny import CONFORMING, tiny_model, unigram_model

TOPICS = HeadConfig(task_type="classification", labels=("goats", "rain", "markets"), dropout=0.0)
HEADS: dict[str, tuple[HeadConfig, Any]] = {
    "classification": (TOPICS, "The goat sleeps near the well."),
    "pairs": (
        HeadConfig(task_type="classification", labels=("yes", "no"), pairs=True),
        ("The goat sleeps.", "It runs."),
    ),
    "multilabel": (HeadConfig(task_type="multilabel", labels=("rain", "goats")), "The goat sleeps in the rain."),
    "tagging": (HeadConfig(task_type="tagging", labels=("O", "B-PER")), ("yesterday", "Amina", "sold", "maize")),
    "pos": (HeadConfig(task_type="pos", labels=("NOUN", "VERB")), ("goats", "eat", "maize")),
    "qa": (HeadConfig(task_type="qa"), ("Who sold maize?", "There was a market. Amina sold maize there.")),
    "choice": (HeadConfig(task_type="choice"), ("It rains. Why?", ["The clouds are full.", "The goat sleeps."])),
    "similarity": (HeadConfig(task_type="similarity"), ("The goat sleeps.", "A goat lies down and sleeps.")),
    "regression": (HeadConfig(task_type="regression"), "The goat sleeps near the well."),
}
TEXT = "The goat sleeps near the well."
FEW = ("lora", "bottleneck + invertible")
FINE = Explaining(steps=32, most_steps=1024, tolerance=0.01)


def with_task(model: AdaptedModel, config: AdapterConfig, head: HeadConfig = TOPICS) -> AdaptedModel:
    """A task adapter with random weights, not so large that attention jumps."""
    layers = attach_random(
        model, "task/topics", AdapterConfig(method=config.method, invertible=config.invertible, head=head)
    )
    layers.requires_grad_(requires_grad=False)
    return calmed(model)


def calmed(model: AdaptedModel) -> AdaptedModel:
    for name, parameter in model.adapters.named_parameters():
        if "/head." not in name and not name.startswith("head."):
            parameter.data *= 0.3
    return model.eval()


LORA = AdapterConfig(method=LoraConfig(rank=4, alpha=8))
BOTTLENECK = AdapterConfig(method=BottleneckConfig(reduction_factor=4))
INVERTIBLE = AdapterConfig(method=LoraConfig(rank=2), invertible=InvertibleConfig())


def score_of_masked(model: AdaptedModel, text: str, stack: StackLike, number: int) -> float:
    """The log odds of a label, found by plain calls, with a mask token for each token but the special ones."""
    (row,) = model.backbone.tokenize([text])
    special = {*model.backbone.tokenizer.all_special_ids}
    masked = [token if token in special else model.backbone.special_id("mask") for token in row]
    head, _ = model.head_of(stack)
    with torch.no_grad():
        ids = torch.tensor([masked])
        logits = head(model(ids, torch.ones_like(ids), stacks=[stack]), torch.ones_like(ids))[0]
    share = float(torch.softmax(logits, dim=-1)[number])
    return float(torch.logit(torch.tensor(share)))


@pytest.mark.parametrize("family", CONFORMING)
def test_words_add_up_to_what_they_change(family: str) -> None:
    # Every method on one backbone of each kind, and two on the others.
    for method in methods_on(family) if family in ("bert", "deberta-v2", "llama", "t5") else FEW:
        model = tiny_model(family)
        config = METHODS[method]
        with_task(model, at_sites_of(model, config))
        found = model.explain(TEXT, stack="task/topics", how=FINE)
        (answer,) = model.predict([TEXT], stack="task/topics")
        probability = answer.probabilities[answer.label]
        assert found.answer.label == found.target == answer.label
        assert found.score == pytest.approx(float(torch.logit(torch.tensor(probability))), abs=1e-3)
        masked = score_of_masked(model, TEXT, "task/topics", TOPICS.labels.index(answer.label))
        assert found.difference == pytest.approx(found.score - masked, abs=1e-3)
        assert sum(found.attributions) == pytest.approx(found.difference, abs=0.02 * sum(map(abs, found.attributions)))
        assert "".join(word.text for word in found.words) == "".join(TEXT.split())


@pytest.mark.parametrize("name", HEADS)
def test_answers_of_every_task_type_are_explained(name: str) -> None:
    head, given = HEADS[name]
    model = tiny_model()
    attach_random(model, "language/sw", LORA)
    with_task(model, LORA, head)
    stack = "language/sw > task/topics"
    found = model.explain(given if name != "qa" else tuple(given), stack=stack, how=FINE)
    (answer,) = model.predict([given], stack=stack)
    assert repr(found.answer)[:40] == repr(answer)[:40]
    assert found.relative_gap < 0.02
    assert any(found.attributions)
    assert list(found.without) == ["language/sw", "task/topics"]
    assert all(change is not None and change > 0 for word in found.words for change in word.changes.values())
    sides = {word.side for word in found.words}
    assert sides == {"pairs": {0, 1}, "qa": {0, 1}, "similarity": {0, 1}, "choice": {0, 1, 2}}.get(name, {0})
    for word in found.words:
        assert found.texts[word.side][word.start : word.end] == word.text


def test_another_answer_or_word_is_explained_when_asked() -> None:
    model = with_task(tiny_model(), LORA)
    labels = {label: model.explain(TEXT, stack="topics", target=label, how=FINE) for label in TOPICS.labels}
    assert {label: found.target for label, found in labels.items()} == {label: label for label in TOPICS.labels}
    shares = [torch.sigmoid(torch.tensor(found.score)) for found in labels.values()]
    assert float(sum(shares)) == pytest.approx(1, abs=1e-4)
    model = with_task(tiny_model(), LORA, HEADS["tagging"][0])
    words = HEADS["tagging"][1]
    by_number, by_name = (model.explain(words, stack="topics", word=word, target="B-PER") for word in (3, "maize"))
    assert by_number == by_name
    assert by_name.target == "B-PER of maize"


def test_an_answer_far_in_a_long_context_is_explained_in_its_window() -> None:
    model = with_task(tiny_model(), LORA, HEADS["qa"][0])
    context = "There was a market in week 3. " * 20 + "Amina sold maize there."
    found = model.explain(("Who sold maize?", context), stack="topics", target="Amina sold")
    words = [word for word in found.words if word.side == 1]
    assert "Amina" in {word.text for word in words}
    assert words[0].start > 0
    nothing = model.explain(("Who sold maize?", context), stack="topics", target="")
    assert nothing.target == "no answer"
    with pytest.raises(ConfigError, match="is not in the context"):
        model.explain(("Who sold maize?", context), stack="topics", target="Baraka")


@pytest.mark.parametrize(
    ("name", "asked", "message"),
    [
        ("classification", {"target": "sun"}, "'sun'.*goats, rain, markets"),
        ("classification", {"word": 2}, "gives no tags"),
        ("tagging", {"word": 9}, "give a word's number"),
        ("tagging", {"word": "goat"}, "0 times"),
        ("regression", {"target": "high"}, "gives a score; leave it out"),
        ("similarity", {"target": "high"}, "gives a cosine; leave it out"),
        ("choice", {"target": 2}, "give a choice, or its number"),
    ],
)
def test_what_cannot_be_asked_is_refused(name: str, asked: dict[str, Any], message: str) -> None:
    head, given = HEADS[name]
    model = with_task(tiny_model(), LORA, head)
    with pytest.raises(ConfigError, match=message):
        model.explain(given, stack="topics", **asked)


def test_inputs_come_one_or_in_a_list(model: AdaptedModel) -> None:
    with_task(model, LORA)
    texts = [TEXT, "Rain.", "Goats eat."]
    several = model.explain(texts, stack="topics", target=["rain", "goats", None])
    assert [found.target for found in several[:2]] == ["rain", "goats"]
    assert [word.text for word in several[2].words] == ["Goats", "eat", "."]
    assert model.explain([], stack="topics") == []
    with pytest.raises(ConfigError, match="2 for 3 inputs"):
        model.explain(texts, stack="topics", target=["rain", "goats"])
    with pytest.raises(NoHead):
        model.explain([])
    with pytest.raises(ConfigError, match="a text, or a pair of texts"):
        model.explain([3], stack="topics")


def test_rows_of_several_stacks_are_as_each_alone(model: AdaptedModel) -> None:
    attach_random(model, "language/sw", LORA)
    attach_random(model, "language/ha", BOTTLENECK, seed=5)
    attach_random(model, "task/names", AdapterConfig(method=LoraConfig(rank=2), head=HEADS["tagging"][0]), seed=6)
    with_task(model, INVERTIBLE)
    stacks = ["language/sw > task/topics", "task/topics", "language/ha > task/names"]
    inputs: list[Any] = [TEXT, "Rain fills the barrel.", ["Amina", "sleeps"]]
    together = model.explain(inputs, stacks=stacks)
    alone = [model.explain([given], stack=stack)[0] for given, stack in zip(inputs, stacks, strict=True)]
    assert together == alone


def test_a_text_that_is_the_baseline_has_nothing_to_attribute(model: AdaptedModel) -> None:
    with_task(model, LORA)
    found = model.explain("<mask>", stack="topics")
    assert [word.text for word in found.words] == ["<mask>"]
    assert found.attributions == (0.0,)
    assert found.difference == found.relative_gap == 0


def test_the_baseline_may_be_another_token(model: AdaptedModel) -> None:
    with_task(model, LORA)
    found = {
        baseline: model.explain(TEXT, stack="topics", how=Explaining(baseline=baseline)) for baseline in ("mask", "pad")
    }
    assert [each.baseline for each in found.values()] == ["<mask>", "<pad>"]
    assert len({each.difference for each in found.values()}) == 2


DECIDES = HeadConfig(task_type="classification", labels=("goat", "rain"), dropout=0.0)
SENTENCES = ["by the road goat in the morning", "goat at the market near the well", "in the morning near the well goat"]


@pytest.fixture
def planted(model: AdaptedModel) -> AdaptedModel:
    """One word decides: only it has anything in the last dimension, which is all that the head reads.

    Blocks hand on what they read but for its norm, so no word hears of another.
    """
    network, layers = (
        model.network,
        model.attach_layers("task/planted", AdapterConfig(method=LoraConfig(rank=2), head=DECIDES)),
    )
    others, own = model.backbone.tokenizer([" ".join(SENTENCES).replace("goat", ""), "goat"])["input_ids"]
    tokens = sorted(set(own).difference(others))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith(("attention.output.dense.weight", "output.dense.weight", "output.dense.bias")):
                parameter.zero_()
        table = network.get_parameter("embeddings.word_embeddings.weight")
        table[:, -1] = 0
        table[tokens, -1] = 4
        for parameter in layers.parameters():
            if parameter.shape[0] in (2, 32):
                parameter.zero_()
        assert layers.head is not None
        layers.head.get_parameter("dense.weight")[0, -1] = 1
        layers.head.get_parameter("out.weight")[:, 0] = torch.tensor([4.0, -4.0])
    return model.eval()


def test_the_word_that_decides_is_found(planted: AdaptedModel) -> None:
    for text in SENTENCES:
        found = planted.explain(text, stack="planted", how=FINE)
        assert found.answer.label == "goat"
        adds = {word.text: word.attribution for word in found.words}
        assert adds["goat"] > 0.95 * sum(map(abs, adds.values()))
        other = planted.explain(text, stack="planted", target="rain", how=FINE)
        against = next(word.attribution for word in other.words if word.text == "goat")
        assert against == pytest.approx(-adds["goat"], rel=0.02)


def test_a_head_of_random_weights_is_explained_otherwise(planted: AdaptedModel) -> None:
    """The sanity check of Adebayo et al. 2018, arXiv:1810.03292: what does not depend on weights explains nothing."""
    before = attributions_of(planted)
    head, _ = planted.head_of("planted")
    cosines = []
    for seed in range(4):
        with torch.no_grad():
            generator = torch.Generator().manual_seed(seed)
            for parameter in head.parameters():
                parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
        cosines.append(torch.cosine_similarity(before, attributions_of(planted), dim=-1).abs().mean())
    assert float(torch.stack(cosines).mean()) < 0.6


def attributions_of(planted: AdaptedModel) -> torch.Tensor:
    """Shape: (n_sentences, 7)."""
    found = planted.explain(SENTENCES, stack="planted", target="goat", how=FINE)
    return torch.tensor([each.attributions for each in found])


def test_an_adapter_that_changes_nothing_is_said_to(model: AdaptedModel) -> None:
    model.attach_layers("language/sw", LORA)
    with_task(model, LORA)
    found = model.explain(TEXT, stack="language/sw > task/topics")
    assert found.without["language/sw"].score == pytest.approx(found.score, abs=1e-5)
    assert found.without["language/sw"].said == found.said
    assert all(word.changes["language/sw"] == pytest.approx(0, abs=1e-6) for word in found.words)
    assert all((word.changes["task/topics"] or 0) > 0.01 for word in found.words)


def test_without_an_adapter_the_stack_is_as_if_it_were_not_there(model: AdaptedModel) -> None:
    attach_random(model, "language/sw", BOTTLENECK)
    with_task(model, LORA)
    found = model.explain(TEXT, stack="language/sw > task/topics")
    alone = model.explain(TEXT, stack="task/topics", target=found.target)
    assert found.without["language/sw"].answer == alone.answer
    assert found.without["language/sw"].score == pytest.approx(alone.score, abs=1e-5)
    states = [model_states(model, stack) for stack in ("language/sw > task/topics", "task/topics")]
    moved = (states[0] - states[1]).norm() / states[1].norm()
    changes = [word.changes["language/sw"] or 0 for word in found.words]
    assert min(changes) < float(moved) < max(changes)


def model_states(model: AdaptedModel, stack: StackLike) -> torch.Tensor:
    (row,) = model.backbone.tokenize([TEXT])
    ids = torch.tensor([row])
    with torch.no_grad():
        found: torch.Tensor = model(ids, torch.ones_like(ids), stacks=[stack])
    return found


def test_what_others_add_to_an_average_stays(model: AdaptedModel) -> None:
    for seed, name in enumerate(("language/sw", "language/ha")):
        attach_random(model, name, LORA, seed=seed)
    with_task(model, LORA)
    found = model.explain(TEXT, stack=Stack(Average({"language/sw": 0.3, "language/ha": 0.9}), "task/topics"))
    alone = model.explain(TEXT, stack=Stack(Average({"language/ha": 0.9}), "task/topics"), target=found.target)
    assert found.without["language/sw"].score == pytest.approx(alone.score, abs=1e-5)
    assert list(found.without) == ["language/sw", "language/ha", "task/topics"]


def test_a_fusion_chooses_among_those_that_are_left(model: AdaptedModel) -> None:
    for seed, name in enumerate(("language/sw", "language/ha")):
        attach_random(model, name, LORA, seed=seed)
    fusion = FusionConfig(fuses=("language/sw", "language/ha"), width=4)
    attach_random(model, "language/both", AdapterConfig(method=fusion))
    with_task(model, LORA)
    found = model.explain(TEXT, stack=Stack(Fuse("language/sw", "language/ha"), "task/topics"), how=FINE)
    assert list(found.without) == ["language/both", "task/topics", "language/sw", "language/ha"]
    for left_out, stack in {
        "language/sw": "language/ha > task/topics",
        "language/ha": "language/sw > task/topics",
        "language/both": "task/topics",
    }.items():
        alone = model.explain(TEXT, stack=stack, target=found.target)
        assert found.without[left_out].score == pytest.approx(alone.score, abs=1e-4)
    assert found.relative_gap < 0.02


def test_pieces_of_its_own_are_left_out_with_their_adapter() -> None:
    model = unigram_model()
    attach_random(model, "language/zgh", OWN_PIECES)
    with_task(model, LORA)
    text = invented_sentences(1)[0]
    found = model.explain(text, stack="language/zgh > task/topics", how=FINE)
    assert [word.text for word in found.words] == text.split()
    alone = model.explain(text, stack="task/topics", target=found.target)
    assert found.without["language/zgh"].score == pytest.approx(alone.score, abs=1e-5)
    assert any((word.changes["language/zgh"] or 0) > 0.01 for word in found.words)
    assert found.relative_gap < 0.02


def test_steps_are_doubled_until_the_words_add_up_and_a_gap_is_told(
    model: AdaptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    attach_random(model, "language/sw", AdapterConfig(method=BottleneckConfig(reduction_factor=2)), seed=9)
    layers = attach_random(
        model, "task/topics", AdapterConfig(method=BottleneckConfig(reduction_factor=2), head=TOPICS)
    )
    layers.requires_grad_(requires_grad=False)
    model.eval()
    stack = "language/sw > task/topics"
    with caplog.at_level(logging.WARNING):
        rough = model.explain(TEXT, stack=stack, how=Explaining(steps=2, most_steps=2, tolerance=0.01))
    assert rough.relative_gap > 0.01
    assert "miss their sum" in caplog.text
    fine = model.explain(TEXT, stack=stack, how=Explaining(steps=2, most_steps=4096, tolerance=0.01))
    assert fine.steps > 2
    assert fine.relative_gap <= 0.01


def test_nothing_of_the_model_is_changed(model: AdaptedModel) -> None:
    with_task(model, INVERTIBLE)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with torch.inference_mode():
        inside = model.explain(TEXT, stack="topics")
    assert inside == model.explain(TEXT, stack="topics")
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    model.detach("task/topics")
    assert not any(module._forward_hooks for module in model.network.modules())


def test_gradient_checkpointing_changes_nothing(model: AdaptedModel) -> None:
    with_task(model, LORA)
    plain = model.explain(TEXT, stack="topics")
    model.gradient_checkpointing(True)
    again = model.explain(TEXT, stack="topics")
    assert again.attributions == pytest.approx(plain.attributions, abs=1e-4)


def test_tokens_that_a_trimmed_table_lacks_are_counted_as_in_a_prediction(tmp_path: Path) -> None:
    folder = saved_backbone(tmp_path / "tiny", "xlm-roberta")
    model = adaptkit.load_model(folder, vocabulary=adaptkit.vocabulary_of(["The goat."], backbone=folder))
    with_task(model, AdapterConfig(method=LORA.method), TOPICS)
    before = model.n_replaced_tokens
    model.predict([TEXT], stack="topics")
    once = model.n_replaced_tokens - before
    assert once > 0
    found = model.explain(TEXT, stack="topics", how=FINE)
    # Read with and without the adapter, and as vectors; not at each step.
    assert model.n_replaced_tokens - before <= 6 * once
    assert found.relative_gap < 0.02


@pytest.mark.parametrize(("bits", "embeddings"), [(16, None), (8, None), (4, "nf4")])
def test_gradients_flow_through_quantised_weights(tmp_path: Path, bits: Bits, embeddings: str | None) -> None:
    model = adaptkit.load_model(saved_backbone(tmp_path / "tiny", "xlm-roberta"), bits=bits, embeddings=embeddings)
    with_task(model, INVERTIBLE)
    found = model.explain(TEXT, stack="topics", how=FINE)
    whole = model.explain(TEXT, stack="topics", target=found.target, how=Explaining(steps=64, most_steps=64))
    assert any(found.attributions)
    # What 16 bits round, in outputs of about 1 and sums of ten words.
    assert whole.gap < 0.05
    (answer,) = model.predict([TEXT], stack="topics")
    assert found.answer.label == answer.label


def test_a_head_that_does_not_say_what_decides_is_refused() -> None:
    with imported("word_labels") as word_labels:
        head = HeadConfig(task_type=word_labels.WORD_LABELS.name, labels=("NOUN", "VERB"))
        model = with_task(tiny_model(), LORA, head)
        with pytest.raises(ConfigError, match=r"word_labels.*Heads of tagging, .*classification.* can"):
            model.explain(("goats", "eat"), stack="topics")


def test_captum_that_is_absent_is_asked_for(model: AdaptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with_task(model, LORA)
    with pytest.raises(ConfigError, match=r"pip install 'adaptkit-nlp\[explain\]'"):
        model.explain(TEXT, stack="topics")
