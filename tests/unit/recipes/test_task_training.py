"""Task and domain adapters, trained, saved, loaded and used."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

import adaptkit
from adaptkit.composition import Stack
from adaptkit.data.tasks import Example, TaskData
from adaptkit.errors import (
    AdapterExists,
    CallbackFailed,
    CompatibilityError,
    ConfigError,
    EmptyCorpus,
    MalformedText,
    NoHead,
    TrainingInterrupted,
)
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel, StackLike
from adaptkit.recipes.heldout_scores import HeldoutExamples, Scored
from adaptkit.recipes.kept_answers import KeptAnswers
from adaptkit.recipes.task import TaskTraining
from adaptkit.storage import Adapter, load_adapter
from adaptkit.task_types import LabelledText, Question
from adaptkit.training import open_display
from adaptkit.training.backbone_passes import HookedPasses
from adaptkit.training.head_start import HeadStart
from adaptkit.training.logistic_start import TriedStart, logistic_regression
from adaptkit.training.step import TrainingStep
from tests.adapters import random_adapter
from tests.calls import QUIET, asked, estimate_adapter, task_request, train_adapter
from tests.runs import PAIRS, SWAHILI, Watching, ctrl_c_in, opener, train_and_interrupt
from tests.tiny import tiny_model
from tests.unit.heads import examples as made

QUICK: dict[str, Any] = {"max_steps": 4, "batch_size": 8, "progress": False}
LEARNING: dict[str, Any] = {"task": "trial", "max_steps": 30, "learning_rate": 1e-2, "progress": False}
LORA = AdapterConfig(method=LoraConfig(rank=2))


def language(model: AdaptedModel, tag: str, seed: int = 1) -> Adapter:
    return replace(random_adapter(model, LORA, name=tag, seed=seed), language=tag)


def right(model: AdaptedModel, data: TaskData, stack: str) -> float:
    found = model.predict(data.examples, stack=stack)
    labels = [example.label for example in data.examples if isinstance(example, LabelledText)]
    return float(sum(p.label == label for p, label in zip(found, labels, strict=True)) / len(found))


def has_learned(adapter: Adapter) -> bool:
    """What lowers no held-out loss is left as it began."""
    facts = adapter.card.training
    return facts is not None and facts.heldout_loss_after < facts.heldout_loss_before


LEARNABLE: dict[str, Callable[[], TaskData]] = {
    "classification": made.topics,
    "pairs": made.pairs,
    "tagging": made.tags,
    "qa": made.questions,
    "choice": made.choices,
    "similarity": made.similar,
}


@pytest.mark.parametrize("name", LEARNABLE)
def test_every_task_type_learns_and_comes_back_from_its_folder(name: str, model: AdaptedModel, tmp_path: Path) -> None:
    data = LEARNABLE[name]()
    adapter = train_adapter(**LEARNING, data=data, backbone=model, output=tmp_path / "trial")
    facts = adapter.card.training
    assert facts is not None
    assert facts.heldout_loss_after < 0.95 * facts.heldout_loss_before
    loaded = adaptkit.load_adapter(tmp_path / "trial")
    assert loaded.config == adapter.config
    assert loaded.config.head is not None
    assert loaded.config.head.task_type == data.task_type
    model.attach(adapter)
    first = model.predict(data.examples[:6], stack="trial")
    model.detach("trial")
    model.attach(loaded)
    assert model.predict(data.examples[:6], stack="trial") == first
    assert len(first) == 6


def test_a_learned_head_answers(model: AdaptedModel) -> None:
    data = made.topics()
    adapter = train_adapter(
        task="topics", data=data, backbone=model, max_steps=80, learning_rate=1e-2, alpha=16, progress=False
    )
    model.attach(adapter)
    assert right(model, data, "task/topics") > 0.9
    (found,) = model.predict(["The goat eats grass."], stack="topics")
    assert found.label == "goats"
    assert sum(found.probabilities.values()) == pytest.approx(1)
    batches = [model.predict(data.examples, stack="topics", batch_size=size) for size in (1, 7)]
    assert [p.label for p in batches[0]] == [p.label for p in batches[1]]


def test_the_order_of_inputs_is_kept(model: AdaptedModel) -> None:
    model.attach(train_adapter(task="t", data=made.topics(), backbone=model, **QUICK))
    texts = ["Goat.", "A very long sentence about the rain that fell on the maize in the night.", "Rain on goats."]
    together = model.predict(texts, stack="t", batch_size=2)
    for text, found in zip(texts, together, strict=True):
        (alone,) = model.predict([text], stack="t")
        assert alone.label == found.label
        assert alone.probabilities == pytest.approx(found.probabilities, abs=1e-5)
    assert model.predict([], stack="t") == []


def test_what_lies_below_acts_and_stays_frozen(model: AdaptedModel) -> None:
    en = language(model, "en")
    before = {name: tensor.clone() for name, tensor in en.tensors.items()}
    with_en, without = (
        train_adapter(**{**LEARNING, "max_steps": 12}, data=made.topics(), on=on, backbone=model) for on in ([en], [])
    )
    assert with_en.below == ("language/en",)
    assert without.below == ()
    assert with_en.weights_sha256 != without.weights_sha256
    assert all(torch.equal(before[name], tensor) for name, tensor in en.tensors.items())
    assert model.attached == ()


def test_a_task_adapter_is_used_on_another_language(model: AdaptedModel, tmp_path: Path) -> None:
    en, sw = language(model, "en"), language(model, "sw", seed=2)
    en.save(tmp_path / "en")
    task = train_adapter(task="t", data=made.topics(), on=tmp_path / "en", backbone=model, **QUICK)
    model.attach(sw, task)
    found = model.predict(["The goat eats grass."], stack=Stack("language/sw", "task/t"))
    assert found[0].probabilities != model.predict(["The goat eats grass."], stack="task/t")[0].probabilities


def test_each_language_of_the_data_has_its_own_adapter_below(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    en, sw = language(model, "en"), language(model, "sw", seed=2)
    stacks: set[str] = set()
    active = AdaptedModel.active

    def watched(self: AdaptedModel, stack: Any) -> Any:  # noqa: ANN401
        stacks.add(str(stack))
        return active(self, stack)

    monkeypatch.setattr(AdaptedModel, "active", watched)
    train_adapter(task="t", data=made.topics(), on=[en, sw], backbone=model, **QUICK)
    assert {"language/en > task/t", "language/sw > task/t"} <= stacks


def test_data_may_be_given_by_language(model: AdaptedModel) -> None:
    split = {tag: [example for example in made.topics().examples if example.language == tag] for tag in ("en", "sw")}
    unnamed = {tag: [replace(example, language=None) for example in examples] for tag, examples in split.items()}
    adapter = train_adapter(task="t", data=unnamed, backbone=model, **QUICK)
    assert adapter.language is None
    assert adapter.config.head is not None
    assert adapter.config.head.labels == ("goats", "rain")


def test_translated_examples_are_held_out_with_their_originals(model: AdaptedModel) -> None:
    english = [LabelledText(text=f"goats and rain {n}", label=("goats", "rain")[n * n % 3 % 2]) for n in range(60)]
    swahili = [replace(example, text=f"mbuzi na mvua {n}") for n, example in enumerate(english)]
    request = task_request(task="t", data={"en": english, "sw": swahili}, backbone=model, **QUICK)
    with open_display(shown=False) as display, closing(TaskTraining(request, display)) as training:
        held = training.items.heldout
        plan = "\n".join(training.describe(training.estimate()))
    assert len(held) == 12
    assert [number + 60 for number in held[:6]] == held[6:]
    assert "data: 60 examples of another language have the labels of others in their order" in plan


IOBES = [{"words": ["Amina", "Diallo", "sells", f"{i}"], "tags": ["B-PER", "E-PER", "O", "S-NUM"]} for i in range(40)]


def test_tags_of_another_scheme_are_trained_and_scored_in_bio(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    display = Watching()
    monkeypatch.setattr("adaptkit.recipes.train.open_display", opener(display))
    task = train_adapter(task="ner", data=IOBES, lang="en", backbone=model, **{**QUICK, "progress": True})
    assert task.config.head is not None
    assert task.config.head.labels == ("O", "B-NUM", "B-PER", "I-PER")
    assert "data: tags: IOBES, converted to BIO" in display.notes
    report = adaptkit.evaluate(
        model,
        task="names",
        adapter=task,
        languages=["sw"],
        data={"sw": IOBES[:8]},
        zoo=[],
        compare=["none"],
        measuring=QUIET,
    )
    assert "sw: tags: IOBES, converted to BIO." in report.results.notes


def test_tags_of_several_kinds_are_refused_before_training(model: AdaptedModel) -> None:
    speech = [{"words": ["Amina", "sells"], "tags": ["PROPN", "VERB"]}] * 40
    with pytest.raises(MalformedText, match=r"line 41: found the tag 'PROPN'"):
        train_adapter(task="t", data=[*IOBES, *speech], backbone=model, **QUICK)
    with pytest.raises(ConfigError, match="parts of speech"):
        train_adapter(task="t", data={"en": IOBES, "sw": speech}, backbone=model, **QUICK)


def test_tags_warm_up_longer(model: AdaptedModel) -> None:
    """Seed 1 of a run on three languages never tagged an entity with the warm-up of the others."""
    shares = {}
    for name in ("classification", "tagging"):
        request = task_request(task="t", data=LEARNABLE[name](), backbone=model, **QUICK)
        with open_display(shown=False) as display, closing(TaskTraining(request, display)) as training:
            shares[name] = training.settings.warmup_share
    assert shares == {"classification": 0.06, "tagging": 0.2}


def test_a_head_that_answers_the_same_to_everything_is_told(model: AdaptedModel) -> None:
    """Labels that have nothing to do with the texts: the loss falls to that of their frequencies and no further."""
    texts = [example.text for example in made.topics().examples if isinstance(example, LabelledText)]
    coin: list[Example] = [LabelledText(text=text, label="ab"[n * n % 7 % 2]) for n, text in enumerate(texts)]
    learned, random = (
        train_adapter(**{**LEARNING, "max_steps": 60, "learning_rate": rate}, data=data, backbone=model)
        for data, rate in ((made.topics(), 2e-3), (replace(made.topics(), examples=coin, labels=("a", "b")), 1e-4))
    )
    assert learned.card.training is not None
    assert random.card.training is not None
    assert "same answer" not in learned.card.training.stopped_because
    assert "nothing was learned: try another seed" in random.card.training.stopped_because


def test_inference_needs_two_texts(model: AdaptedModel) -> None:
    rows = [{"premise": f"Mbuzi {n}", "label": label} for n in range(9) for label in ("Entailment", "Contradiction")]
    with pytest.raises(ConfigError, match="one text in each row"):
        train_adapter(task="nli", data=rows, lang="sw", backbone=model, **QUICK)
    with pytest.raises(ConfigError, match="one text in each row"):
        train_adapter(task="nli", data={"sw": rows}, backbone=model, **QUICK)


def test_the_plan_of_a_task_is_told(model: AdaptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    display = Watching()
    monkeypatch.setattr("adaptkit.recipes.train.open_display", opener(display))
    en, sw = language(model, "en"), language(model, "sw", seed=2)
    some = [replace(example, language="ha") for example in made.topics(20).examples]
    data = replace(made.topics(), examples=[*made.topics().examples, *some])
    train_adapter(task="t", data=data, on=[en, sw], backbone=model, **{**QUICK, "progress": True})
    told = "\n".join(display.notes)
    assert "100 examples (single texts), languages: en, ha, sw" in told
    assert "on top of each language's own (language/en, language/sw)" in told
    assert "labels: goats, rain" in told
    assert "no language adapter is given for ha" in told
    assert "for 4 steps of 8; peak memory about" in told
    assert "no output folder: the run keeps nothing on disk" in told


def test_resume_gives_the_same_task_adapter(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {
        "task": "t",
        "data": made.topics(),
        "max_steps": 14,
        "batch_size": 8,
        "dropout": 0.2,
    }
    whole = train_adapter(**arguments, backbone=tiny_model(), progress=False)
    train_and_interrupt(after=11, **arguments, backbone=tiny_model(), output=tmp_path / "t")
    resumed = train_adapter(**arguments, backbone=tiny_model(), output=tmp_path / "t", resume=True, progress=False)
    assert has_learned(whole)
    assert resumed.weights_sha256 == whole.weights_sha256


def test_a_task_that_trains_now_and_then_without_what_lies_below(tmp_path: Path) -> None:
    def arguments(model: AdaptedModel, dropout: float = 0.5) -> dict[str, Any]:
        below = {"on": [language(model, "en")], "on_dropout": dropout, "lang": "en"}
        return {"task": "t", "data": made.topics(), "max_steps": 14, "batch_size": 8, "backbone": model, **below}

    whole = train_adapter(**arguments(tiny_model()), progress=False)
    always = train_adapter(**arguments(tiny_model(), 0.0), progress=False)
    train_and_interrupt(after=11, **arguments(tiny_model()), output=tmp_path / "t")
    resumed = train_adapter(**arguments(tiny_model()), output=tmp_path / "t", resume=True, progress=False)
    assert resumed.weights_sha256 == whole.weights_sha256 != always.weights_sha256
    assert whole.below == always.below == ("language/en",)
    assert whole.card.training is not None
    assert whole.card.training.settings["on_dropout"] == 0.5
    told = estimate_adapter(**arguments(tiny_model())).plan
    assert "trained on top of language/en, which a share of 0.5 of the batches goes without" in told


def test_nothing_below_cannot_be_left_out() -> None:
    with pytest.raises(ConfigError, match=r"on_dropout leaves out adapters below, and there are none: give on="):
        task_request(task="t", data=made.topics(), on_dropout=0.5)
    with pytest.raises(ConfigError, match="on_dropout must"):
        task_request(task="t", data=made.topics(), on_dropout=1.0, on="folder")


def test_a_dropped_top_layer_is_recorded(model: AdaptedModel, tmp_path: Path) -> None:
    en = language(model, "en")
    task = train_adapter(
        task="t", data=made.topics(), on=[en], drop_top_layer=True, backbone=model, output=tmp_path / "t", **QUICK
    )
    assert adaptkit.load_adapter(tmp_path / "t").config.hides_top_block
    model.attach(en, task)
    top = "encoder.layer.1.attention.self.query"
    assert len(model.plan("language/en > task/t")[top]) == 1


def test_a_domain_adapter_on_a_language_adapter(model: AdaptedModel, tmp_path: Path) -> None:
    sw = language(model, "sw")
    adapter = train_adapter(
        domain="farming", lang="sw", text=SWAHILI, on=[sw], backbone=model, output=tmp_path / "farming", **QUICK
    )
    loaded = adaptkit.load_adapter(tmp_path / "farming")
    assert (loaded.id, loaded.language, loaded.below) == ("domain/farming", "sw", ("language/sw",))
    model.attach(sw, adapter)
    stacked = model.encode(SWAHILI[:2], stack="language/sw > domain/farming")
    assert not torch.equal(stacked, model.encode(SWAHILI[:2], stack="language/sw"))


def test_a_fusion_is_trained_over_frozen_adapters(model: AdaptedModel, tmp_path: Path) -> None:
    en, sw = language(model, "en"), language(model, "sw", seed=2)
    fused = train_adapter(
        lang="sw",
        method="fusion",
        parallel=PAIRS,
        source_lang="en",
        on=[en, sw],
        backbone=model,
        output=tmp_path / "fused",
        **QUICK,
    )
    assert fused.id == "language/sw-fused"
    loaded = adaptkit.load_adapter(tmp_path / "fused")
    model.attach(en, sw, loaded)
    by_name, by_id = (model.encode(SWAHILI[:2], stack=stack) for stack in ("fuse(en, sw)", "language/sw-fused"))
    assert torch.equal(by_name, by_id)
    assert set(fused.tensors) == {
        f"encoder.layer.{block}.{module}.{part}.weight"
        for block in (0, 1)
        for module in (
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            "attention.output.dense",
            "intermediate.dense",
            "output.dense",
        )
        for part in ("query", "key")
    }


def test_another_adapter_of_the_same_id_is_not_trained_on(model: AdaptedModel) -> None:
    model.attach(language(model, "en"))
    with pytest.raises(AdapterExists, match=r"another language/en"):
        train_adapter(task="t", data=made.topics(), on=[language(model, "en", seed=9)], backbone=model, **QUICK)
    assert model.attached == ("language/en",)


def test_an_adapter_is_not_trained_on_top_of_itself(model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match=r"language/en would be trained on top of itself.*renamed"):
        train_adapter(lang="en", parallel=PAIRS, source_lang="sw", on=[language(model, "en")], backbone=model, **QUICK)
    assert not model.attached


def test_what_cannot_lie_below_is_refused_before_any_work(model: AdaptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    domain = replace(language(model, "en"), kind="domain", name="law")
    monkeypatch.setattr(AdaptedModel, "encode_ids", lambda *_, **__: pytest.fail("encoded before the refusal"))
    options: dict[str, Any] = {"parallel": PAIRS, "source_lang": "en", "backbone": model, **QUICK}
    with pytest.raises(ConfigError, match="domain/law cannot lie below a language adapter"):
        train_adapter(lang="sw", on=[domain], **options)
    with pytest.raises(ConfigError, match="names an adapter twice"):
        train_adapter(domain="news", lang="sw", on=[domain, domain], **options)
    foreign = replace(domain, origin=replace(domain.origin, fingerprint=tiny_model(seed=5).backbone.fingerprint))
    with pytest.raises(CompatibilityError):
        train_adapter(domain="news", lang="sw", on=[foreign], **options)


def test_a_task_is_trained_on_a_fusion(model: AdaptedModel) -> None:
    en, sw = language(model, "en"), language(model, "sw", seed=2)
    fused = train_adapter(
        lang="sw", method="fusion", parallel=PAIRS, source_lang="en", on=[en, sw], backbone=model, **QUICK
    )
    task = train_adapter(task="t", data=made.topics(), on=[fused, en, sw], backbone=model, **QUICK)
    assert task.below == ("language/sw-fused",)
    model.attach(en, sw, fused, task)
    assert len(model.predict(["The goat sleeps."], stack=task)) == 1


def test_the_record_says_what_lay_under_every_batch(model: AdaptedModel) -> None:
    en, sw = language(model, "en"), language(model, "sw", seed=2)
    swahili = [replace(example, language="sw") for example in made.topic_texts()]
    one, both = (
        train_adapter(task="t", data=replace(made.topics(), examples=data), on=[en, sw], backbone=model, **QUICK)
        for data in (swahili, made.topic_texts())
    )
    assert one.below == ("language/sw",)
    assert both.below == ()


WRONG: dict[str, dict[str, Any]] = {
    "needs labelled examples": {"task": "t"},
    "both given": {"task": "t", "domain": "d", "data": made.topics()},
    "text does not go with a task": {"task": "t", "data": made.topics(), "text": SWAHILI},
    "data does not go with a language": {"lang": "sw", "data": made.topics()},
    "needs text of that domain": {"domain": "d", "lang": "sw"},
    "needs the language": {"domain": "d", "text": SWAHILI},
    "nothing says what to train": {"text": SWAHILI},
    "fusion is trained on text": {"task": "t", "data": made.topics(), "method": "fusion"},
    "at least two adapters": {"lang": "sw", "text": SWAHILI, "method": "fusion"},
    "sampling_alpha": {"task": "t", "data": made.topics(), "sampling_alpha": 2.0},
}


@pytest.mark.parametrize("message", WRONG)
def test_what_cannot_be_trained_is_refused(message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        asked(**WRONG[message])


def test_a_task_adapter_below_is_refused(model: AdaptedModel) -> None:
    task = train_adapter(task="t", data=made.topics(), backbone=model, **QUICK)
    with pytest.raises(ConfigError, match="lies below"):
        train_adapter(task="u", data=made.topics(), on=[task], backbone=model, **QUICK)
    assert model.attached == ()


@pytest.mark.parametrize("name", LEARNABLE)
def test_two_examples_train_with_a_warning(name: str, model: AdaptedModel, caplog: pytest.LogCaptureFixture) -> None:
    data = LEARNABLE[name]()
    two = replace(data, examples=data.examples[:2])
    adapter = train_adapter(task="t", data=two, backbone=model, **QUICK)
    facts = adapter.card.training
    assert facts is not None
    assert facts.steps == 4
    assert "2 labelled examples are too few to hold one out" in facts.stopped_because
    assert "Give more (200 are a good start)" in caplog.text


def test_one_label_alone_is_refused(model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match="has only the label 'goats'"):
        train_adapter(task="t", data=[("The goat", "goats"), ("A goat", "goats")], backbone=model, **QUICK)


TWO = [("The goat eats grass", "goats"), ("Rain fills the barrel", "rain")]


def test_tuples_and_columns_are_the_same_data(model: AdaptedModel) -> None:
    texts, labels = zip(*TWO, strict=True)
    as_tuples = train_adapter(task="t", data=TWO, backbone=model, **QUICK)
    as_columns = train_adapter(task="t", data={"text": texts, "label": labels}, backbone=model, **QUICK)
    assert as_tuples.weights_sha256 == as_columns.weights_sha256
    by_language = train_adapter(task="t", data={"en": TWO}, backbone=model, **QUICK)
    assert by_language.language == "en"


def test_a_held_out_set_of_ones_own_is_measured_on(model: AdaptedModel, tmp_path: Path) -> None:
    (tmp_path / "dev.tsv").write_text("text\tlabel\nThe goat sleeps\tgoats\nIt rains\train\n", encoding="utf-8")
    request = task_request(task="t", data=made.topics(), dev=[str(tmp_path / "dev.tsv")], backbone=model, **QUICK)
    with open_display(shown=False) as display, closing(TaskTraining(request, display)) as training:
        assert len(training.items.heldout) == 2
        assert len(training.items.training) == len(made.topics().examples)
        plan = training.describe(training.estimate())
    assert "data: 2 other examples are held out to measure on" in plan
    assert not [line for line in plan if "also in" in line]


def test_what_of_a_held_out_set_cannot_be_measured_on_or_is_trained_on_too_is_told(model: AdaptedModel) -> None:
    data = made.questions()
    answer = " ".join(["maize"] * 60)
    long = Question(id="long", question="What?", context=f"Sold: {answer}.", answers=((answer, 6),))
    other = Question(id="other", question="Who sleeps?", context="A goat sleeps.", answers=(("A goat", 0),))
    dev = replace(data, examples=[data.examples[0], long, other])
    request = task_request(task="t", data=data, dev=dev, backbone=model, max_length=32, **QUICK)
    with open_display(shown=False) as display, closing(TaskTraining(request, display)) as training:
        plan = "\n".join(training.describe(training.estimate()))
        n = len(data.examples)
        assert training.items.dev == {n, n + 2}
    assert "data: 2 other examples are held out to measure on (1 more left out: nothing in them" in plan
    assert "data: of dev=..., 1 of 3 (33.3%) answered questions are left out: no window of 32 tokens holds" in plan
    assert "note: 1 of the 3 examples of dev=... is also in data=...: " in plan


@pytest.mark.parametrize(
    ("dev", "message"),
    [([("The goat", "sheep")], "has the label sheep"), ([("The goat", 0.5)], "label"), ([], "empty")],
)
def test_a_held_out_set_that_cannot_be_measured_on_is_refused(
    dev: list[tuple[str, object]], message: str, model: AdaptedModel
) -> None:
    with pytest.raises((ConfigError, EmptyCorpus, MalformedText), match=message):
        train_adapter(task="t", data=made.topics(), dev=dev, backbone=model, **QUICK)


def test_scores_are_said_after_training_and_a_head_of_one_answer(model: AdaptedModel) -> None:
    watching = Watching()
    data = made.topics()
    request = task_request(task="t", data=data, backbone=model, **{**QUICK, "progress": True}, max_length=8)
    with closing(TaskTraining(request, watching)) as training:
        training.train()
    assert any(note.startswith("scores of 100 on the ") and "accuracy" in note for note in watching.notes)


WATCHED = {
    "classification": ["accuracy", "macro F1"],
    "tagging": ["entity F1"],
    "qa": ["SQuAD F1", "SQuAD exact match"],
    "similarity": ["Pearson correlation"],
}


@pytest.mark.parametrize("name", WATCHED)
def test_each_held_out_loss_has_the_scores_of_the_task_type_beside_it(name: str, tmp_path: Path) -> None:
    watching, data = Watching(), LEARNABLE[name]()
    options = {**LEARNING, "max_steps": 30, "evaluate_every": 15, "output": tmp_path / "trial", "progress": True}
    request = task_request(**options, data=data, dev=data, backbone=tiny_model())
    with closing(TaskTraining(request, watching)) as training:
        adapter = training.train()
    assert len(watching.losses) == len(watching.scores) == 3
    assert list(watching.scores[-1]) == WATCHED[name]
    main = WATCHED[name][0]
    before, after = watching.scores[0].get(main, 0.0), watching.scores[-1][main]
    # A head of labels or tags begins as a regression, which answers all of these texts.
    assert (before, after) == (100, 100) if name in ("classification", "tagging") else after > before
    lines = [json.loads(line) for line in (tmp_path / "trial.training_log.jsonl").read_text().splitlines()]
    column = f"heldout_{main.lower().replace(' ', '_')}"
    logged = [line.get(column) for line in lines if line["heldout_loss"] is not None]
    assert logged == [scores.get(main) for scores in watching.scores]
    assert all(column not in line for line in lines if line["heldout_loss"] is None)
    facts = load_adapter(tmp_path / "trial").card.training
    assert facts is not None
    assert [it.metric for it in facts.heldout_scores] == WATCHED[name]
    assert {it.n_examples for it in facts.heldout_scores} == {len(data.examples)}
    # The same numbers as an evaluation of these examples gives.
    model = tiny_model()
    one = replace(data, examples=[replace(example, language="sw") for example in data.examples])
    asked: dict[str, Any] = {"data": {"sw": one}, "languages": ["sw"], "source_language": "sw", "compare": ["none"]}
    report = adaptkit.evaluate(model, task="trial", adapter=adapter, **asked, measuring=QUIET)
    (cell,) = report.results.cells
    found = {metric: score for metric, (score,) in cell.scores.items()}
    assert found == pytest.approx({it.metric: it.score for it in facts.heldout_scores}, abs=1e-2)


def test_scores_leave_the_training_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """They draw no random numbers, and dropout is on again behind them."""
    options: dict[str, Any] = {**LEARNING, "max_steps": 12, "dropout": 0.2, "evaluate_every": 4}
    measured = train_adapter(**options, data=made.topics(), backbone=tiny_model())
    assert has_learned(measured)
    monkeypatch.setattr(HeldoutExamples, "scored", lambda self: Scored({}, len(self.examples), self.what, None))
    assert train_adapter(**options, data=made.topics(), backbone=tiny_model()).weights_sha256 == measured.weights_sha256


def scored(model: AdaptedModel, examples: Sequence[Example], what: str = "held-out examples") -> Scored:
    head = model.head_of("t")[1]
    return HeldoutExamples(model, head, examples, [Stack("t")] * len(examples), batch_size=8, what=what).scored()


def test_a_head_that_answers_one_label_only_is_told(model: AdaptedModel) -> None:
    topics = made.topics()
    model.attach(train_adapter(**LEARNING | {"task": "t"}, data=topics, backbone=model))
    assert scored(model, topics.examples).one_answer is None
    alike = [replace(example, text="It is") for example in topics.examples if isinstance(example, LabelledText)]
    found = scored(model, alike)
    assert found.told.startswith("scores of 100 on the 80 held-out examples: accuracy 50.0")
    assert found.told.endswith(". Few examples say little: on others, a score may differ by 11 points")
    assert "Few examples" not in scored(model, [*topics.examples, *alike]).told
    assert found.one_answer is not None
    assert "to all of the 80 held-out examples, where 2 labels are right" in found.one_answer
    itself = scored(model, alike, what="examples themselves").one_answer
    assert itself is not None
    assert "to all of the 80 examples themselves, where" in itself


def test_a_stack_without_a_head_predicts_nothing(model: AdaptedModel) -> None:
    model.attach(language(model, "sw"))
    for stack in ("language/sw", None):
        with pytest.raises(NoHead, match="no adapter with a head"):
            model.predict(["The goat"], stack=stack)


@pytest.mark.parametrize("name", [name for name in LEARNABLE if name != "similarity"])
def test_a_head_alone_learns_and_reads_what_lies_below(name: str, model: AdaptedModel, tmp_path: Path) -> None:
    adapter = train_adapter(
        **LEARNING, method="head", data=LEARNABLE[name](), backbone=model, output=tmp_path / "trial"
    )
    facts = adapter.card.training
    assert facts is not None
    assert facts.heldout_loss_after < facts.heldout_loss_before
    assert all(tensor.startswith("head.") for tensor in adapter.tensors)
    kept = adaptkit.load_adapter(tmp_path / "trial")
    model.attach(kept, language(model, "sw"))
    examples = LEARNABLE[name]().examples[:3]
    text = getattr(examples[0], "text", "Habari ya asubuhi")
    assert torch.equal(model.encode([text], stack="trial"), model.encode([text]))
    assert repr(model.predict(examples, stack="trial")) != repr(model.predict(examples, stack=Stack("sw", "trial")))


def test_a_head_alone_reads_each_example_once(model: AdaptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    n_rows: list[int] = []
    passes = HookedPasses.states

    def counted(self: HookedPasses, stack: StackLike, ids: Tensor, *rest: Any) -> Tensor:  # noqa: ANN401 - as of the method
        n_rows.append(len(ids))
        return passes(self, stack, ids, *rest)

    monkeypatch.setattr(HookedPasses, "states", counted)
    data, below = made.topics(), language(model, "sw")
    asked: dict[str, Any] = {
        "task": "trial",
        "method": "head",
        "data": data,
        "on": below,
        "backbone": model,
        **QUICK,
        "max_steps": 30,
    }
    train_adapter(**asked)
    assert sum(n_rows) == len(data.examples)
    # Where each step reads, a head starts as it is made.
    monkeypatch.setattr("adaptkit.recipes.task.regression_of", lambda *_, **__: None)
    kept = train_adapter(**asked)
    n_rows.clear()
    monkeypatch.setattr("adaptkit.training.kept_states._MOST_BYTES", 0)
    anew = train_adapter(**asked)
    assert sum(n_rows) > 2 * len(data.examples)
    for name, tensor in kept.tensors.items():
        # Batches of other widths: some units in the last place of float32, grown in a few steps.
        torch.testing.assert_close(tensor, anew.tensors[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["classification", "tagging", "qa", "choice"])
def test_held_out_examples_of_a_head_alone_are_not_read_again_to_be_scored(
    name: str, model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, n_inputs = LEARNABLE[name](), list[int]()
    predict = AdaptedModel.predict

    def counted(self: AdaptedModel, inputs: Any, **named: Any) -> Any:  # noqa: ANN401 - as of the method
        n_inputs.append(len(inputs))
        return predict(self, inputs, **named)

    def scores() -> tuple[list[Mapping[str, float]], list[int]]:
        watching = Watching()
        n_inputs.clear()
        request = task_request(**HEAD_ALONE, evaluate_every=5, data=data, dev=data, backbone=model, progress=True)
        with closing(TaskTraining(request, watching)) as training:
            training.train()
        return watching.scores, list(n_inputs)

    monkeypatch.setattr(AdaptedModel, "predict", counted)
    monkeypatch.setattr("adaptkit.recipes.task.regression_of", lambda *_, **__: None)
    kept, asked_once = scores()
    # What the card says is what the adapter answers in use.
    assert asked_once == [len(data.examples)]
    monkeypatch.setattr(KeptAnswers, "answers", lambda _: {})
    assert scores() == (kept, [len(data.examples)] * 5)


def test_what_a_training_cuts_is_read_again_to_be_scored(model: AdaptedModel) -> None:
    short, long = LabelledText(text="goat", label="a"), LabelledText(text="goat " * 40, label="b")
    data = replace(made.topics(), examples=[short, long] * 10, labels=("a", "b"))
    request = task_request(**HEAD_ALONE, max_length=16, data=data, dev=data, backbone=model)
    with closing(TaskTraining(request, Watching())) as training:
        measured = training._measured
        assert measured is not None
        for each in (measured, measured.some(10)):
            assert each.kept is not None
            assert sorted(each.kept.examples) == [n for n, one in enumerate(each.examples) if one == short]


HEAD_ALONE: dict[str, Any] = {"task": "trial", "method": "head", "max_steps": 15, "batch_size": 8, "precision": "fp32"}


@pytest.mark.parametrize("class_weights", [None, "balanced"])
@pytest.mark.parametrize("name", ["classification", "pairs"])
def test_a_head_alone_of_one_label_is_the_logistic_regression_of_what_is_trained_on(
    name: str, class_weights: str | None, model: AdaptedModel
) -> None:
    watching, data = Watching(), LEARNABLE[name]()
    request = task_request(**HEAD_ALONE, data=data, class_weights=class_weights, backbone=model, progress=True)
    with closing(TaskTraining(request, watching)) as training:
        items = training.items
        adapter = training.train()
    rows = [[item.rows[0].tolist()] for item in items.items]
    vectors = torch.cat([model.encode_ids(row, stack=None) for row in rows])
    labels = torch.tensor([int(item.target[0]) for item in items.items])
    weights = None if items.class_weights is None else torch.tensor(items.class_weights)
    found = logistic_regression(vectors[items.training], labels[items.training], n_labels=2, class_weights=weights)
    logits = found.logits(vectors).float()
    loss = cross_entropy(logits[items.heldout], labels[items.heldout], weight=weights)
    # The head has float32 and a tanh, which moves numbers by 3e-5 of themselves. A run takes the mean of the means
    # of its batches, in which weights have not the same sum.
    assert watching.losses[0] == pytest.approx(float(loss), rel=1e-3 if weights is None else 5e-3)
    facts = adapter.card.training
    assert facts is not None
    assert facts.heldout_loss_after == watching.losses[0] < 0.9 * facts.heldout_loss_before
    # Before is what the head answers as it is made: hardly anything.
    assert facts.heldout_loss_before == pytest.approx(math.log(2), abs=0.2)
    assert facts.steps == 0
    assert facts.stopped_because.startswith("a logistic regression is found")
    assert any(note.startswith("the head is a logistic regression") for note in watching.notes)


def test_a_head_alone_of_several_labels_is_a_regression_where_steps_have_found_nothing_better(
    model: AdaptedModel,
) -> None:
    watching = Watching()
    request = task_request(**HEAD_ALONE, data=made.topic_sets(), backbone=model, progress=True)
    with closing(TaskTraining(request, watching)) as training:
        items = training.items
        adapter = training.train()
    vectors = torch.cat([model.encode_ids([item.rows[0].tolist()], stack=None) for item in items.items])
    labels = torch.tensor([item.target for item in items.items]).float() % 2
    found = logistic_regression(vectors[items.training], labels[items.training], n_labels=2)
    logits = found.logits(vectors).float()
    loss = float(binary_cross_entropy_with_logits(logits[items.heldout], labels[items.heldout]))
    facts = adapter.card.training
    assert facts is not None
    assert facts.steps == 15
    assert facts.heldout_loss_after == pytest.approx(loss, rel=1e-3)
    assert facts.heldout_loss_before == watching.losses[0]
    assert facts.heldout_loss_after < min(watching.losses)
    assert facts.stopped_because == (
        "all steps done; a logistic regression has a lower held-out loss than steps have found"
    )
    (note,) = (note for note in watching.notes if "regression" in note)
    assert note.endswith(f"held-out loss {loss:.3f}, and {min(watching.losses):.3f} by steps")


def test_a_head_alone_of_several_labels_is_what_steps_have_found_where_that_is_better(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    faster = {"max_steps": 100, "learning_rate": 3e-2, "progress": False}
    asked: dict[str, Any] = {**HEAD_ALONE, "data": made.topic_sets(), **faster}
    adapter = train_adapter(**asked, backbone=model)
    assert adapter.card.training is not None
    assert adapter.card.training.stopped_because == "all steps done"
    monkeypatch.setattr("adaptkit.recipes.task.regression_of", lambda *_, **__: None)
    assert train_adapter(**asked, backbone=model).weights_sha256 == adapter.weights_sha256


def test_a_head_of_several_labels_that_is_resumed_ends_where_it_would_have(tmp_path: Path) -> None:
    asked: dict[str, Any] = {**HEAD_ALONE, "data": made.topic_sets(), "progress": False}
    whole = train_adapter(**asked, backbone=tiny_model())
    train_and_interrupt(after=11, **asked, backbone=tiny_model(), output=tmp_path / "t")
    resumed = train_adapter(**asked, backbone=tiny_model(), output=tmp_path / "t", resume=True)
    assert resumed.weights_sha256 == whole.weights_sha256
    assert resumed.card.training is not None
    assert "a logistic regression has" in resumed.card.training.stopped_because


def test_a_head_stays_as_it_is_made_where_its_regression_is_worse(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {**HEAD_ALONE, **made.topics_and_others(), "progress": False}
    adapter = train_adapter(**asked, backbone=model)
    monkeypatch.setattr("adaptkit.recipes.task.regression_of", lambda *_, **__: None)
    assert train_adapter(**asked, backbone=model).weights_sha256 == adapter.weights_sha256


def test_a_head_that_is_resumed_starts_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {**HEAD_ALONE, **made.topics_and_others(), "progress": False, "evaluate_every": 4}
    whole = train_adapter(**asked, backbone=tiny_model())
    train_and_interrupt(after=11, **asked, backbone=tiny_model(), output=tmp_path / "t")
    monkeypatch.delattr("adaptkit.training.logistic_start.logistic_regression")
    resumed = train_adapter(**asked, backbone=tiny_model(), output=tmp_path / "t", resume=True)
    assert resumed.weights_sha256 == whole.weights_sha256
    ours, theirs = resumed.card.training, whole.card.training
    assert ours is not None
    assert theirs is not None
    assert ours.heldout_loss_before == theirs.heldout_loss_before


def test_ctrl_c_ends_the_reading_of_a_head_alone_behind_a_batch_and_nothing_is_lost(tmp_path: Path) -> None:
    asked: dict[str, Any] = {**HEAD_ALONE, **made.topics_and_others(), "progress": False}
    whole = train_adapter(**asked, backbone=tiny_model())
    with (
        ctrl_c_in(HookedPasses, "states", call=2) as calls,
        pytest.raises(TrainingInterrupted, match=r"stopped at step 0 of 15; the checkpoint is in .*Run the same again"),
    ):
        train_adapter(**asked, backbone=tiny_model(), output=tmp_path / "t")
    assert len(calls) == 2
    resumed = train_adapter(**asked, backbone=tiny_model(), output=tmp_path / "t", resume=True)
    assert resumed.weights_sha256 == whole.weights_sha256


def test_heads_of_other_tasks_and_of_pairs_beside_layers_start_as_they_are_made(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("adaptkit.training.logistic_start.logistic_regression")
    for data in (made.choices(), made.questions()):
        train_adapter(**QUICK, task="trial", method="head", data=data, backbone=model)
    train_adapter(**QUICK, task="trial", data=made.pairs(), backbone=model)


@pytest.mark.parametrize(
    "data",
    [made.topics(), made.topic_sets(), made.tags(), made.parts_of_speech()],
    ids=["one label", "several", "entities", "parts of speech"],
)
def test_a_head_beside_layers_begins_as_a_regression_and_steps_go_on_from_there(
    data: TaskData, model: AdaptedModel
) -> None:
    watching, longer = Watching(), {"max_steps": 20, "learning_rate": 3e-3, "progress": True}
    request = task_request(**{**QUICK, **longer}, task="trial", data=data, backbone=model)
    with closing(TaskTraining(request, watching)) as training:
        adapter = training.train()
    facts = adapter.card.training
    assert facts is not None
    assert facts.steps == 20
    began = f"the head began as a logistic regression, with a held-out loss of {watching.losses[0]:.3f}"
    assert facts.stopped_because == f"all steps done; {began}"
    (told,) = (note for note in watching.notes if note.startswith("the head begins as a logistic regression"))
    new, _, begun = told.rpartition("held-out loss ")[2].partition(" → ")
    # Before is what the head answers as it is made: hardly anything.
    assert new == f"{facts.heldout_loss_before:.3f}"
    n_answers = 2 if data.task_type == "multilabel" else len(data.labels)
    assert facts.heldout_loss_before == pytest.approx(math.log(n_answers), abs=0.3)
    assert f"{watching.losses[0]:.3f}" == begun
    assert facts.heldout_loss_after < 0.8 * watching.losses[0] < 0.3 * facts.heldout_loss_before


def test_a_head_beside_layers_stays_as_it_is_made_where_a_regression_is_worse(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {**QUICK, "task": "trial", **made.topics_and_others()}
    tried, fitted = HeadStart._try, []

    def noted(self: HeadStart, *given: Any) -> TriedStart:  # noqa: ANN401 - as the run does
        fitted.append(tried(self, *given))
        return fitted[-1]

    monkeypatch.setattr(HeadStart, "_try", noted)
    adapter = train_adapter(**asked, backbone=model)
    assert [each.is_kept for each in fitted] == [False]
    monkeypatch.setattr("adaptkit.recipes.task.regression_of", lambda *_, **__: None)
    assert train_adapter(**asked, backbone=model).weights_sha256 == adapter.weights_sha256


def test_steps_that_find_nothing_better_than_the_regression_that_a_head_began_as_are_told(model: AdaptedModel) -> None:
    adapter = train_adapter(**{**QUICK, "learning_rate": 0.9}, task="trial", data=made.topics(), backbone=model)
    assert adapter.card.training is not None
    assert adapter.card.training.stopped_because == (
        "all steps done; no step lowered the held-out loss of the regression that the head began as"
    )


def test_a_head_alone_that_is_stopped_in_its_first_evaluation_takes_no_steps_when_it_goes_on(tmp_path: Path) -> None:
    def stop(_: object) -> None:
        raise RuntimeError

    asked: dict[str, Any] = {**HEAD_ALONE, "data": made.topics(), "progress": False}
    whole = train_adapter(**asked, backbone=tiny_model())
    request = task_request(**asked, backbone=tiny_model(), output=tmp_path / "t")
    stopped = replace(request, run=replace(request.run, callback=stop))
    with (
        open_display(shown=False) as display,
        closing(TaskTraining(stopped, display)) as training,
        pytest.raises(CallbackFailed),
    ):
        training.train()
    resumed = train_adapter(**asked, backbone=tiny_model(), output=tmp_path / "t", resume=True)
    assert resumed.weights_sha256 == whole.weights_sha256
    ours, theirs = resumed.card.training, whole.card.training
    assert ours is not None
    assert theirs is not None
    assert (ours.steps, ours.stopped_because) == (0, theirs.stopped_because)


def test_ctrl_c_ends_the_search_for_a_regression_behind_a_batch_and_nothing_is_lost(tmp_path: Path) -> None:
    asked: dict[str, Any] = {**QUICK, "task": "trial", "data": made.topics()}
    whole = train_adapter(**asked, backbone=tiny_model())
    with (
        ctrl_c_in(TrainingStep, "states", call=2) as calls,
        pytest.raises(TrainingInterrupted, match=r"stopped at step 0 of 4; the checkpoint is in "),
    ):
        train_adapter(**asked, backbone=tiny_model(), output=tmp_path / "t")
    assert len(calls) == 2
    resumed = train_adapter(**asked, backbone=tiny_model(), output=tmp_path / "t", resume=True)
    assert resumed.weights_sha256 == whole.weights_sha256
    facts = resumed.card.training, whole.card.training
    assert facts[0] is not None
    assert facts[1] is not None
    assert facts[0].heldout_loss_before == facts[1].heldout_loss_before


def test_a_regression_that_steps_follow_is_fitted_to_some_of_many_examples(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows_of_start() -> tuple[list[int], list[int]]:
        request = task_request(task="trial", data=made.topics(), backbone=model, **QUICK)
        with open_display(shown=False) as display, closing(TaskTraining(request, display)) as training:
            start = training._fitting.run.start
            assert start is not None
            return sorted(row for rows in start.regression.batches for row in rows), training.items.training

    fitted, trained_on = rows_of_start()
    assert fitted == trained_on
    monkeypatch.setattr("adaptkit.recipes.head_start._MOST_BEFORE_STEPS", 20)
    drawn, _ = rows_of_start()
    assert len(drawn) == len({*drawn}) == 20
    assert {*drawn} < {*trained_on}
    assert drawn == rows_of_start()[0]


@pytest.mark.parametrize(
    ("regulariser", "begins"), [("coral", False), ("r_drop", True), ("feature_distillation", True)]
)
def test_a_head_starts_new_where_domains_are_brought_together(
    regulariser: str, begins: bool, model: AdaptedModel
) -> None:
    text = {"unlabelled": [f"The bucket leaks, {number}." for number in range(24)]} if regulariser == "coral" else {}
    request = task_request(task="t", data=made.topics(), backbone=model, **{regulariser: 1.0}, **text, **QUICK)
    with open_display(shown=False) as display, closing(TaskTraining(request, display)) as training:
        assert (training._fitting.run.start is not None) is begins


def test_a_head_alone_is_for_tasks_whose_head_has_weights(model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match="whose head has weights"):
        train_adapter(task="trial", method="head", data=made.similar(), backbone=model, **QUICK)
    with pytest.raises(ConfigError, match="language adapter has none"):
        train_adapter(lang="sw", method="head", text=SWAHILI, backbone=model, **QUICK)
    with pytest.raises(ConfigError, match="rank does not go with method 'head'"):
        train_adapter(task="trial", method="head", rank=4, data=made.topics(), backbone=model, **QUICK)
