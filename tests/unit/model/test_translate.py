"""Translations of decoders and encoder-decoders, under any stack, row by row."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoModelForSeq2SeqLM, PreTrainedTokenizerFast

import adaptkit
from adaptkit.backbones import Backbone
from adaptkit.data.sample import sample_pairs
from adaptkit.errors import ConfigError, EmptyCorpus, MalformedText
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.heads import build_head, format_of
from adaptkit.heads.batch import Batch
from adaptkit.heads.writing import Asked, Instruction, LanguageTokens, Prompt, language_tokens, writing_of
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import load_adapter
from adaptkit.task_types import IGNORED, HeadConfig, Translation
from tests.adapters import attach_random
from tests.calls import QUIET, train_adapter
from tests.tiny import tiny_backbone, tiny_model, tiny_tokenizer

PAIRS = [(source, target) for source, target in sample_pairs("sw")[:40]]
TEXTS = ["The goat sleeps.", "Rain fills the barrel in the yard.", "We eat."]
HEAD = HeadConfig(task_type="translation", source_language="en", target_languages=("sw",))
LORA = AdapterConfig(method=LoraConfig(rank=4, alpha=4), head=HEAD)
QUICK: dict[str, Any] = {"max_steps": 3, "batch_size": 8, "progress": False, "private": True, "max_length": 300}
FAMILIES = ["llama", "t5", "m2m_100"]
TOKENS = ["__en__", "__sw__", "hau_Latn"]


def with_language_tokens(family: str) -> Backbone:
    """A backbone whose tokenizer has tokens for languages in the place of rare pieces."""
    plain = tiny_tokenizer()
    rare = [plain.convert_ids_to_tokens(number) for number in (397, 398, 399)]
    content = plain.backend_tokenizer.to_str()
    for piece, token in zip(rare, TOKENS, strict=True):
        content = content.replace(f'"{piece}":', f'"{token}":')
    tokenizer = Tokenizer.from_str(_without_merges_of(content, rare))
    tokenizer.add_special_tokens(TOKENS)
    wrapped = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, eos_token="</s>", pad_token="<pad>", unk_token="<unk>", bos_token="<s>"
    )
    return replace(tiny_backbone(family), tokenizer=wrapped)


def _without_merges_of(content: str, pieces: list[Any]) -> str:
    parsed = json.loads(content)
    parsed["model"]["merges"] = [pair for pair in parsed["model"]["merges"] if "".join(pair) not in pieces]
    return json.dumps(parsed)


def whole_network(backbone: Backbone) -> Any:  # noqa: ANN401 - a class of transformers that writes
    whole: Any = AutoModelForSeq2SeqLM.from_config(backbone.network.config)  # type: ignore[no-untyped-call]
    own = whole.model if hasattr(whole, "model") else whole
    own.load_state_dict(backbone.network.state_dict(), strict=False)
    whole.tie_weights()
    return whole.eval()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_under_a_stack_of_its_own_is_what_it_is_alone(family: str) -> None:
    model = tiny_model(family)
    for seed, name in enumerate(("task/sw", "task/other"), start=1):
        for weight in attach_random(model, name, LORA, seed=seed).parameters():
            # So strong that other tokens are the most probable ones.
            weight.data *= 4
    stacks = ["task/sw", None, "task/other"]
    asked: dict[str, Any] = {"to": "sw", "source_lang": "en", "max_new_tokens": 7}
    together = model.translate(TEXTS, stacks=stacks, **asked)
    alone = [model.translate(text, stack=stack, **asked) for text, stack in zip(TEXTS, stacks, strict=True)]
    assert together == alone
    assert model.translate(TEXTS[:1], stack=stacks[0], **asked) == alone[:1]
    assert together != model.translate(TEXTS, **asked)
    assert model.translate(TEXTS, stack="task/sw", max_new_tokens=7)[0] == together[0]


@pytest.mark.parametrize("family", ["t5", "m2m_100"])
@pytest.mark.parametrize("adapted", [False, True])
def test_it_writes_what_transformers_generates(family: str, adapted: bool) -> None:
    backbone = with_language_tokens(family)
    model = AdaptedModel(backbone)
    whole = whole_network(backbone)
    if adapted:
        layers = attach_random(model, "task/sw", LORA)
        for path, layer in layers.items():
            up, down = (layer.get_parameter(f"lora_{part}.weight") for part in "BA")
            own = whole.model if hasattr(whole, "model") else whole
            own.get_submodule(path).weight.data += up.data @ down.data
    ids, mask = backbone.pad([row for row, _ in writing_of(backbone).read([Asked(text, "en", "sw") for text in TEXTS])])
    forced = backbone.tokenizer.convert_tokens_to_ids("__sw__")
    with torch.no_grad():
        found = whole.generate(
            ids,
            attention_mask=mask,
            forced_bos_token_id=forced,
            max_new_tokens=9,
            do_sample=False,
            decoder_start_token_id=backbone.first_decoded,
            # Its cache counts the blocks of the encoder.
            use_cache=False,
        )
    theirs = [text.strip() for text in backbone.tokenizer.batch_decode(found, skip_special_tokens=True)]
    stack = "task/sw" if adapted else None
    ours = model.translate(TEXTS, to="sw", source_lang="en", stack=stack, max_new_tokens=8)
    assert ours == theirs


@pytest.mark.parametrize("family", ["t5", "m2m_100"])
def test_the_loss_is_that_of_transformers(family: str) -> None:
    backbone = tiny_backbone(family)
    model, whole = AdaptedModel(backbone), whole_network(backbone)
    batch = batch_of(model, PAIRS[:3])
    with torch.no_grad():
        states = model(batch.ids, batch.mask, decoder_ids=batch.decoder_ids)
        ours = format_of(backbone, HEAD, max_length=200).loss(states, batch)
        theirs = whole(batch.ids, batch.mask, decoder_input_ids=batch.decoder_ids, labels=batch.labels).loss
    torch.testing.assert_close(ours, theirs)


def batch_of(model: AdaptedModel, pairs: list[tuple[str, str]]) -> Batch:
    form: Any = format_of(model.backbone, HEAD, max_length=200)
    items = form.items([Translation(source=s, target=t, language="sw", source_language="en") for s, t in pairs])
    ids, mask = model.backbone.pad([item.rows[0] for item in items])
    return Batch(ids=ids, mask=mask, labels=form.labels(items, ids.shape[1]), decoder_ids=form.decoder_ids(items))


def test_a_decoder_is_taught_what_stands_behind_the_prompt() -> None:
    model = tiny_model("llama")
    batch = batch_of(model, [("The goat\nsleeps.", "Mbuzi\nanalala.")])
    labels = batch.require_labels()[0]
    prompt = model.backbone.tokenize_openings(["English: The goat sleeps.\nSwahili:"])[0]
    written = model.backbone.tokenizer(" Mbuzi analala.", add_special_tokens=False)["input_ids"]
    assert batch.ids[0].tolist() == [*prompt, *written, 2]
    assert labels.tolist() == [*[IGNORED] * (len(prompt) - 1), *written, 2, IGNORED]
    assert batch.decoder_ids is None


def test_an_encoder_decoder_is_taught_what_follows_the_token_of_the_language() -> None:
    backbone = with_language_tokens("m2m_100")
    batch = batch_of(AdaptedModel(backbone), [("The goat sleeps.", "Mbuzi analala.")])
    english, swahili = (backbone.tokenizer.convert_tokens_to_ids(token) for token in TOKENS[:2])
    written = backbone.tokenizer("Mbuzi analala.", add_special_tokens=False)["input_ids"]
    assert batch.ids[0, 0] == english
    assert batch.ids[0, -1] == 2
    assert batch.decoder_ids is not None
    assert batch.decoder_ids[0].tolist() == [1, swahili, *written]
    assert batch.require_labels()[0].tolist() == [IGNORED, *written, 2]


def test_backbones_are_asked_as_they_were_trained() -> None:
    assert isinstance(writing_of(tiny_backbone("llama")), Prompt)
    assert isinstance(writing_of(tiny_backbone("t5")), Instruction)
    tokens = writing_of(with_language_tokens("m2m_100"))
    assert isinstance(tokens, LanguageTokens)
    assert set(tokens.ids) == {"en", "sw", "ha"}
    assert language_tokens(tiny_tokenizer()) == {}
    model = AdaptedModel(with_language_tokens("m2m_100"))
    with pytest.raises(ConfigError, match=r"no token for Zulu \(zu\).*en, ha, sw"):
        model.translate(["We eat."], to="zu", source_lang="en")


@pytest.mark.parametrize("family", FAMILIES)
def test_training_saving_and_translating(family: str, tmp_path: Path) -> None:
    model = tiny_model(family)
    asked: dict[str, Any] = {"task": "translation", "source_lang": "en", "lang": "sw", "backbone": model}
    adapter = train_adapter(data=PAIRS, **asked, **{**QUICK, "max_steps": 6, "learning_rate": 3e-3})
    facts = adapter.card.training
    assert facts is not None
    assert facts.heldout_loss_after < facts.heldout_loss_before
    assert adapter.config.head == HEAD
    assert adapter.language == "sw"
    loaded = load_adapter(adapter.save(tmp_path / "sw"))
    assert loaded.config == adapter.config
    assert "translation from English into Swahili" in (tmp_path / "sw" / "README.md").read_text()
    assert '"format_version": 9' in (tmp_path / "sw" / "adaptkit.json").read_text()
    model.attach(loaded)
    first = model.translate(TEXTS, stack="translation", max_new_tokens=5)
    assert model.translate(TEXTS, to="swh", source_lang="eng", stack="translation", max_new_tokens=5) == first
    assert all("\n" not in text for text in first)
    assert [
        text.startswith(short) for text, short in zip(model.predict(TEXTS, stack="translation"), first, strict=True)
    ]
    if family != "llama":
        assert [name for name in adapter.tensors if name.startswith("decoder.")]


def test_every_step_of_the_gradient_is_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("llama")
    batch, form = batch_of(model, PAIRS[:4]), format_of(model.backbone, HEAD, max_length=200)
    states = model(batch.ids, batch.mask)
    found: list[tuple[Tensor, Tensor]] = []
    for at_once in (2**27, 4 * 400 * 16):
        monkeypatch.setattr("adaptkit.heads.translation._LOGIT_BYTES_AT_ONCE", at_once)
        given = states.detach().requires_grad_()
        loss = form.loss(given, batch)
        torch.autograd.backward(loss)
        assert given.grad is not None
        found.append((loss.detach(), given.grad))
    torch.testing.assert_close(found[0], found[1])


def test_data_of_several_languages_and_of_files(tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text("".join(f"{source}\t{target}\n" for source, target in PAIRS), encoding="utf-8")
    hausa = [tuple(pair) for pair in sample_pairs("ha")[:40]]
    model = tiny_model("t5")
    adapter = train_adapter(task="both", data={"sw": str(file), "ha": hausa}, source_lang="en", backbone=model, **QUICK)
    assert adapter.config.head is not None
    assert adapter.config.head.target_languages == ("ha", "sw")
    model.attach(adapter)
    with pytest.raises(ConfigError, match=r"say which language is meant: to="):
        model.translate(TEXTS, stack="both")
    assert len(model.translate(TEXTS, to="ha", stack="both", max_new_tokens=3)) == 3


def test_an_evaluation_with_and_without_a_language_adapter() -> None:
    model = tiny_model("llama")
    sw = train_adapter(lang="sw", text=[target for _, target in PAIRS], backbone=model, force=True, **QUICK)
    task = train_adapter(task="translation", data=PAIRS, source_lang="en", lang="sw", backbone=model, **QUICK)
    report = adaptkit.evaluate(
        model,
        task="translation",
        adapter=task,
        languages="sw",
        compare=["none", "target"],
        data={"sw": PAIRS[:2]},
        zoo=[sw],
        source_language="en",
        measuring=replace(QUIET, max_answer_tokens=4),
    )
    cells = {cell.condition: cell for cell in report.results.cells}
    assert report.results.metrics == ("chrF++", "BLEU")
    assert cells["target"].stack == "language/sw > task/translation"
    assert all(0 <= score <= 100 for cell in cells.values() for (score,) in cell.scores.values())


def test_what_cannot_be_right_is_refused() -> None:
    asked: dict[str, Any] = {"task": "translation", "data": PAIRS, "backbone": tiny_model("llama"), **QUICK}
    with pytest.raises(ConfigError, match="which language it is into"):
        train_adapter(**asked, source_lang="en")
    with pytest.raises(ConfigError, match="which language is translated from"):
        train_adapter(**asked, lang="sw")
    with pytest.raises(ConfigError, match="both sw"):
        train_adapter(**asked, lang="sw", source_lang="sw")
    with pytest.raises(ConfigError, match=r"tiny-bert is an encoder.*cannot write"):
        train_adapter(**{**asked, "backbone": tiny_model()}, lang="sw", source_lang="en")
    with pytest.raises(EmptyCorpus, match=r"40 of 40 .* pairs are longer than 12 tokens and left out"):
        train_adapter(**{**asked, "max_length": 12}, lang="sw", source_lang="en")
    with pytest.raises(MalformedText):
        train_adapter(**{**asked, "data": [("one", "two", "three")] * 30}, lang="sw", source_lang="en")
    with pytest.raises(ConfigError, match="source_lang is the language of texts that are translated"):
        train_adapter(**{**asked, "task": "moods"}, task_type="classification", source_lang="en")
    for wrong in ({}, {"source_language": "en"}, {"source_language": "sw", "target_languages": ("sw",)}):
        with pytest.raises(ConfigError, match="names a source language and other target languages"):
            HeadConfig(task_type="translation", **wrong)
    with pytest.raises(ConfigError, match="has no source or target languages"):
        HeadConfig(task_type="regression", source_language="en")


@pytest.mark.parametrize("tokens", [False, True])
def test_a_source_that_is_cut_is_told(caplog: pytest.LogCaptureFixture, tokens: bool) -> None:
    family = "m2m_100" if tokens else "t5"
    backbone = with_language_tokens(family) if tokens else tiny_backbone(family)
    model = AdaptedModel(backbone)
    attach_random(model, "task/sw", LORA)
    asked: dict[str, Any] = {"stack": "task/sw", "max_new_tokens": 1}
    model.translate(TEXTS, **asked)
    assert not caplog.records
    long = "goat " * backbone.max_length
    model.translate([*TEXTS, long], **asked)
    (record,) = caplog.records
    assert f"1 of 4 inputs are too long for {backbone.max_length} tokens" in record.getMessage()
    pairs = [Translation(source=text, target="Ndiyo.", language="sw", source_language="en") for text in ("Yes.", long)]
    items = format_of(backbone, HEAD, max_length=backbone.max_length).items(pairs)
    assert [(item.cut, bool(item.target)) for item in items] == [(False, True), (True, False)]


def test_bounds_of_translations_as_answers() -> None:
    model = tiny_model("t5")
    attach_random(model, "task/sw", LORA)
    asked: dict[str, Any] = {"to": "sw", "source_lang": "en", "stack": "task/sw"}
    assert model.predict(TEXTS, stack="task/sw", max_answer_tokens=3) == model.translate(
        TEXTS, **asked, max_new_tokens=3
    )
    with pytest.raises(ConfigError, match="max_answer_tokens must be at least 1, found 0"):
        model.predict(TEXTS, stack="task/sw", max_answer_tokens=0)
    with pytest.raises(ConfigError, match="max_length cuts the texts of heads that answer at once"):
        model.predict(TEXTS, stack="task/sw", max_length=8)


def test_translate_asked_wrongly() -> None:
    model = tiny_model("llama")
    attach_random(model, "task/sw", LORA)
    moods = HeadConfig(task_type="classification", labels=("good", "bad"))
    attach_random(model, "task/moods", replace(LORA, head=moods))
    with pytest.raises(ConfigError, match="row 2 of the texts is empty"):
        model.translate(["We eat.", ""], to="sw")
    with pytest.raises(ConfigError, match=r"no adapter that was trained to translate.*source_lang="):
        model.translate(TEXTS, to="sw")
    with pytest.raises(ConfigError, match=r"to is Hausa \(ha\), and the adapter on top .* into Swahili \(sw\)"):
        model.translate(TEXTS, to="ha", stack="task/sw")
    with pytest.raises(ConfigError, match="trained to translate from English"):
        model.translate(TEXTS, source_lang="fr", stack="task/sw")
    with pytest.raises(ConfigError, match="an adapter for classification, which translates nothing"):
        model.translate(TEXTS, stack="moods")
    with pytest.raises(ConfigError, match="ask for them apart"):
        model.predict(TEXTS[:2], stacks=["task/sw", "moods"])
    with pytest.raises(ConfigError, match="at least 1, found 0"):
        model.translate(TEXTS, stack="task/sw", max_new_tokens=0)
    with pytest.raises(ConfigError, match="is an encoder"):
        tiny_model().translate(TEXTS, to="sw", source_lang="en")
    assert model.translate([], stack="task/sw") == []
    assert build_head(HEAD, 32)(torch.ones(1, 2, 32), torch.ones(1, 2)).shape == (1, 2, 32)
