"""Glossaries as adapters: learned, saved, stacked, and refused where they have no place."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import adaptkit
from adaptkit import Distill, Run
from adaptkit.errors import AdapterExists, ConfigError, EmptyCorpus, MalformedConfig, NotConvertible
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.interchange import export_peft_stack
from adaptkit.methods import LoraConfig, NgramsConfig, Reading
from adaptkit.model import AdaptedModel
from adaptkit.recipes.foundation import foundation_of
from adaptkit.storage import Adapter, load_adapter
from adaptkit.task_types import HeadConfig
from tests.adapters import random_adapter
from tests.glossaries import GLOSSARY, GLOSSES, MEANINGS, translated_pairs
from tests.tiny import tiny_model
from tests.unit.heads.examples import tags, topics

PAIRS = translated_pairs(120)
QUICK = Run(progress=False, batch_size=8)
LORA = AdapterConfig(method=LoraConfig(rank=2))
TOPICS = replace(LORA, head=HeadConfig(task_type="classification", labels=("goats", "rain")))


@pytest.fixture
def model() -> AdaptedModel:
    return tiny_model()


def learned(model: AdaptedModel, **options: Any) -> Adapter:  # noqa: ANN401 - options of a training
    return adaptkit.train_adapter(
        **{"lang": "sw", "parallel": PAIRS, "method": "glossary", "backbone": model, "run": QUICK, **options}
    )


def test_it_is_learned_saved_and_read_behind_each_text(model: AdaptedModel, tmp_path: Path) -> None:
    made = learned(model, output=tmp_path / "sw")
    words = made.config.reading.glossary
    assert words is not None
    assert dict(zip(words.words, words.translations, strict=True)) == MEANINGS
    assert made.id == "language/sw-glossary"
    assert not made.tensors
    read = load_adapter(tmp_path / "sw")
    assert read.config == made.config
    model.attach(read)
    plain = model.encode(["goli na dalo goat na river", "nothing known"])
    assert torch.equal(model.encode(["goli na dalo", "nothing known"], stack=read), plain)


def test_what_is_held_out_is_measured_without_and_with_it(model: AdaptedModel) -> None:
    facts = learned(model).training
    assert facts is not None
    assert facts.objective == "alignment"
    assert (facts.steps, facts.tokens) == (0, 0)
    assert facts.elapsed_s > 0
    assert facts.heldout_loss_before != facts.heldout_loss_after


def test_forms_of_words_are_looked_at_where_that_brings_texts_nearer(model: AdaptedModel) -> None:
    draw = random.Random(0)
    endings = ["".join(draw.choices("xyz", k=3)) for _ in range(2000)]
    bent = [
        (theirs, " ".join(word + draw.choice(("", draw.choice(endings))) for word in ours.split()))
        for theirs, ours in PAIRS
    ]
    plain, forms = (learned(model, parallel=pairs).config.reading.glossary for pairs in (PAIRS, bent))
    assert plain is not None
    assert forms is not None
    assert (plain.stems, forms.stems) == ("none", "begin")


def test_it_stacks_with_adapters_of_the_language(model: AdaptedModel) -> None:
    below = random_adapter(model, LORA, name="sw")
    glossary = random_adapter(model, GLOSSARY, name="sw-glossary")
    model.attach(below, glossary)
    together = model.encode(["goli na dalo"], stack=f"{glossary.id} > {below.id}")
    assert torch.equal(together, model.encode(["goli na dalo goat na dalo"], stack=below))
    mixed = model.encode(["goli", "goli"], stacks=[glossary.id, below.id])
    assert torch.allclose(mixed[0], model.encode(["goli goat"])[0], atol=1e-5)


def test_an_adapter_trains_on_top_of_it(model: AdaptedModel) -> None:
    glossary = random_adapter(model, GLOSSARY, name="sw-glossary")
    made = adaptkit.train_adapter(
        lang="sw", parallel=PAIRS, on=glossary, backbone=model, run=replace(QUICK, max_steps=2)
    )
    assert made.below == (glossary.id,)


def test_a_task_trains_on_top_of_a_glossary_and_the_adapter_of_its_language(model: AdaptedModel) -> None:
    below = random_adapter(model, LORA, name="sw")
    glossary = replace(random_adapter(model, GLOSSARY, name="sw-glossary"), language="sw")
    made = adaptkit.train_adapter(
        task="topics", data=topics(), on=[below, glossary], backbone=model, run=replace(QUICK, max_steps=1)
    )
    assert made.below == (glossary.id, below.id)
    again = glossary.renamed("language/sw-words")
    with pytest.raises(ConfigError, match="language/sw-glossary, language/sw, language/sw-words"):
        foundation_of([glossary, below, again])


def test_a_task_that_glossaries_hurt_is_trained_on_one_with_a_warning(
    model: AdaptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    glossary = replace(random_adapter(model, GLOSSARY, name="sw-glossary"), language="sw")
    asked: dict[str, Any] = {"on": glossary, "backbone": model, "run": replace(QUICK, max_steps=1)}
    assert adaptkit.train_adapter(task="ner", data=tags(), **asked).below == (glossary.id,)
    assert "language/sw-glossary may hurt here: glossaries help single texts" in caplog.text
    assert "language/sw-glossary may hurt here" in str(adaptkit.estimate_adapter(task="ner", data=tags(), **asked))
    assert "may hurt" not in str(adaptkit.estimate_adapter(task="topics", data=topics(), **asked))


def test_batches_without_what_lies_below_would_have_its_glosses(model: AdaptedModel) -> None:
    below = random_adapter(model, LORA, name="sw")
    glossary = replace(random_adapter(model, GLOSSARY, name="sw-glossary"), language="sw")
    asked: dict[str, Any] = {"task": "topics", "data": topics(), "backbone": model, "run": replace(QUICK, max_steps=1)}
    said = "on_dropout=0.5 leaves adapters out, and each text is read once, by a glossary of 3 words of language/sw-gl"
    with pytest.raises(ConfigError, match=said):
        adaptkit.train_adapter(**asked, on=[glossary, below], on_dropout=0.5)
    of_another = replace(random_adapter(model, LORA, name="ha"), language="ha")
    mixed = [replace(example, language=("sw", "ha")[n % 2]) for n, example in enumerate(topics().examples)]
    asked["data"] = replace(topics(), examples=mixed)
    coral = adaptkit.Coral(weight=1.0, unlabelled=[ours for _, ours in PAIRS])
    with pytest.raises(ConfigError, match="in turn, and each text is read once, by a glossary"):
        adaptkit.train_adapter(**asked, on=[glossary, of_another], regularisers=[coral])


def test_of_several_languages_each_batch_has_its_own_glossary(model: AdaptedModel) -> None:
    adapters = [
        *(random_adapter(model, LORA, name=tag) for tag in ("ha", "sw")),
        replace(random_adapter(model, GLOSSARY, name="sw-glossary"), language="sw"),
    ]
    found = foundation_of(adapters)
    assert found.stack_below("sw").ids == ("language/sw-glossary", "language/sw")
    assert found.stack_below("ha").ids == ("language/ha",)
    assert found.reading_for("sw").glossary == GLOSSES
    assert found.reading_for("ha") == Reading()
    assert not found.stack_below("en").ids


def test_another_glossary_of_the_same_id_is_not_trained_on(model: AdaptedModel) -> None:
    glossary = random_adapter(model, GLOSSARY, name="sw-glossary")
    other = AdapterConfig(method=replace(GLOSSES, translations=("college", "goat", "water")))
    model.attach(random_adapter(model, other, name="sw-glossary"))
    with pytest.raises(AdapterExists, match="another language/sw-glossary is attached"):
        foundation_of([glossary]).attach_to(model)


def test_two_glossaries_read_no_text(model: AdaptedModel) -> None:
    model.attach(*(random_adapter(model, GLOSSARY, name=name) for name in ("a", "b")))
    with pytest.raises(ConfigError, match="each bring a glossary of their own"):
        model.encode(["goli"], stack="language/a > language/b")
    model.attach(random_adapter(model, LORA, name="c"))
    with pytest.raises(ConfigError, match="cannot be averaged or fused"):
        model.encode(["goli"], stack=adaptkit.Average("language/a", "language/c", weights=(0.5, 0.5)))


def test_letters_are_not_counted_beside_it(model: AdaptedModel) -> None:
    counting = AdapterConfig(method=NgramsConfig(n_rows=64, rank=4))
    model.attach(random_adapter(model, GLOSSARY, name="a"), random_adapter(model, counting, name="b"))
    with pytest.raises(
        ConfigError, match="language/a has text read by a glossary of 3 words of its own, whose letters"
    ):
        model.encode(["goli"], stack="language/a > language/b")


REFUSED: dict[str, dict[str, Any]] = {
    "has no weights that objective 'distill' could train": {"objective": Distill()},
    "trains no domain adapter": {"domain": "news"},
    "start does not go with": {"start": "somewhere"},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_it_cannot_be_asked_for(model: AdaptedModel, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        learned(model, **REFUSED[message])


def test_text_alone_teaches_no_meaning(model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match="word alignment needs sentences with their translations"):
        learned(model, parallel=None, text=[ours for _, ours in PAIRS])


def test_it_is_no_method_of_other_objectives(model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match="what an adapter of method 'glossary' is"):
        learned(model, method="lora", objective="alignment")
    glossary = random_adapter(model, GLOSSARY, name="sw-glossary")
    with pytest.raises(ConfigError, match="tells objective 'mlm' what it is to find out"):
        adaptkit.train_adapter(lang="sw", text=[ours for _, ours in PAIRS], on=glossary, backbone=model, run=QUICK)
    with pytest.raises(ConfigError, match="brings a glossary already"):
        learned(model, on=glossary, name="another")


def test_a_decoder_reads_none() -> None:
    with pytest.raises(ConfigError, match="does not go with a decoder"):
        learned(tiny_model("llama"))


def test_words_that_say_nothing(model: AdaptedModel) -> None:
    numbers = [(f"{n} {n + 1}", f"{n + 2}") for n in range(40)]
    with pytest.raises(EmptyCorpus, match="say of no word what it means"):
        learned(model, parallel=numbers, force=True)


def test_other_words_than_those_that_were_saved_are_refused(model: AdaptedModel, tmp_path: Path) -> None:
    learned(model, output=tmp_path / "sw")
    path = tmp_path / "sw" / "adapter_config.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["settings"]["translations"][0] = "war"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(MalformedConfig, match="does not have the glossary"):
        load_adapter(tmp_path / "sw")


def test_it_is_not_exported_without_its_words(model: AdaptedModel, tmp_path: Path) -> None:
    glossary = random_adapter(model, GLOSSARY, name="sw-glossary")
    model.attach(glossary, random_adapter(model, LORA, name="sw"))
    with pytest.raises(NotConvertible, match="read by a glossary of 3 words"):
        export_peft_stack(model, f"{glossary.id} > language/sw", tmp_path / "out")


def test_the_card_and_the_plan_say_what_it_is(model: AdaptedModel) -> None:
    card = learned(model).render_card()
    assert "Glossary: it brings 12 words with translations" in card
    assert "- Recipe: alignment; learned in 0 s (peak memory " in card
    assert "- Held-out distance of sentence vectors from those of their translations: " in card
    assert "tokens/s" not in card
    plan = str(adaptkit.estimate_adapter(lang="sw", parallel=PAIRS, method="glossary", backbone=model, run=QUICK))
    assert "12 words with translations were learned from 108 pairs" in plan
    assert "glossaries of some 2,000 sentences brought nothing in two languages, and there are 120" in plan
    assert "tokens are few: a glossary is learned from some thousand sentences with translations." in plan
    assert "already help" not in plan
    assert "of preparation, in which all is learned, and" in plan
    assert not [word for word in ("steps", "epoch", "evaluations", "ends early") if word in plan]


def test_what_is_shown_is_named(model: AdaptedModel, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    facts = learned(model, run=Run(batch_size=8), output=tmp_path / "sw").training
    assert facts is not None
    before, after = facts.heldout_loss_before, facts.heldout_loss_after
    said = f"held-out distance of sentence vectors from those of their translations: {before:.3f} without the glossary"
    shown = " ".join(capsys.readouterr().err.split())
    assert f"{said}, {after:.3f} with it" in shown
    assert shown.count("held-out distance") == 1
    assert "tokens/s" not in shown


def test_of_a_text_that_memory_does_not_hold_it_is_said_how_much_was_read(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adaptkit.data.alignment._MOST_PAIRS", 50)
    plan = str(adaptkit.estimate_adapter(lang="sw", parallel=PAIRS, method="glossary", backbone=model, run=QUICK))
    assert "were learned from 50 of 108 pairs (the others are too long, or more than memory holds)" in plan


@pytest.mark.parametrize("method", ["glossary", "ngrams"])
def test_what_is_about_steps_is_refused_where_there_are_none(model: AdaptedModel, method: str) -> None:
    asked = replace(QUICK, learning_rate=1e-3, patience=2)
    with pytest.raises(ConfigError, match="learning_rate, patience do not go with objective"):
        learned(model, method=method, run=asked)
    with pytest.raises(ConfigError, match="max_steps does not go with objective 'alignment'"):
        learned(model, run=replace(QUICK, max_steps=5))


def test_no_more_words_are_learned_than_one_glossary_holds(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = learned(model).config.reading.glossary
    assert whole is not None
    n_bytes = len("".join((*whole.words, *whole.translations)).encode())
    for module in ("adaptkit.training.objectives.alignment", "adaptkit.methods.glossary"):
        monkeypatch.setattr(f"{module}.MAX_GLOSSARY_BYTES", n_bytes - 1)
    fewer = learned(model).config.reading.glossary
    assert fewer is not None
    assert len(fewer) == len(whole) - 1


def test_an_explanation_says_what_was_answered_without_the_glossary(model: AdaptedModel) -> None:
    glossary, topics = (
        random_adapter(model, GLOSSARY, name="sw-glossary"),
        random_adapter(model, TOPICS, kind="task", name="topics"),
    )
    model.attach(glossary, topics)
    (found,) = model.explain(["goli na kasi"], stack=f"{glossary.id} > {topics.id}")
    (bare,) = model.explain(["goli na kasi"], stack=topics)
    assert [word.text for word in found.words] == ["goli", "na", "kasi"]
    assert found.without[glossary.id].answer == bare.answer
    assert found.score != bare.score


def test_masks_are_filled_without_glosses(model: AdaptedModel) -> None:
    glossary = random_adapter(model, GLOSSARY, name="sw-glossary")
    mlm = adaptkit.train_adapter(
        lang="sw",
        text=[ours for _, ours in PAIRS],
        objective=adaptkit.Mlm(keep_projection=True),
        backbone=model,
        run=replace(QUICK, max_steps=2),
    )
    model.attach(glossary, mlm)
    text = f"goli {model.backbone.tokenizer.mask_token} kasi"
    assert model.pinned(f"{glossary.id} > {mlm.id}").reading.glossary == GLOSSES
    assert model.fill_mask(text, stack=f"{glossary.id} > {mlm.id}") == model.fill_mask(text, stack=mlm)


def test_two_glossaries_are_told_apart_and_have_a_size(model: AdaptedModel, tmp_path: Path) -> None:
    one = random_adapter(model, GLOSSARY, name="sw")
    other = replace(one, config=AdapterConfig(method=replace(GLOSSES, translations=("school", "goat", "rain"))))
    assert one.weights_sha256 != other.weights_sha256
    assert one.size_bytes > len("".join((*GLOSSES.words, *GLOSSES.translations)))
    one.save(tmp_path / "zoo" / "sw")
    assert load_adapter(tmp_path / "zoo" / "sw").weights_sha256 == one.weights_sha256
    (listing,) = adaptkit.Zoo(tmp_path / "zoo")
    assert listing.size_bytes == (tmp_path / "zoo" / "sw" / "adapter_config.json").stat().st_size


def test_one_that_brings_nothing_nearer_says_so(model: AdaptedModel, caplog: pytest.LogCaptureFixture) -> None:
    made = learned(model)
    assert made.training is not None
    facts = replace(made.training, heldout_loss_after=made.training.heldout_loss_before)
    model.attach(replace(made, card=replace(made.card, training=facts)))
    assert "brought held-out sentences no nearer to their translations" in caplog.text
