"""Masks filled: by a backbone's own head, and by the projection that an adapter has kept."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForMaskedLM

import adaptkit
from adaptkit.data.sample import sample_pairs
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.model.token_scores import scores_of_adapter
from adaptkit.objectives.projection import ProjectionConfig
from adaptkit.storage import load_adapter
from tests.adapters import random_adapter
from tests.calls import train_adapter
from tests.pieces import PIECES
from tests.saved import saved_backbone
from tests.tiny import ENCODERS, tiny_config, tiny_model, tiny_tokenizer, unigram_model

TEXTS = ["Habari ya <mask> leo", "The <mask> eats the <mask>."]
SENTENCES = [text for _, text in sample_pairs("sw")]
LORA = LoraConfig(rank=2, alpha=4)
TOKENS = tuple(range(5, 200, 3))
QUICK: dict[str, Any] = {"lang": "sw", "text": SENTENCES[:60], "max_steps": 8, "batch_size": 8, "progress": False}


def saved_mlm(folder: Path, model_type: str, **config: Any) -> Any:  # noqa: ANN401 - a class of transformers
    """A random masked language model, whose head has no zeros and ones, in a folder."""
    torch.manual_seed(3)
    whole: Any = AutoModelForMaskedLM.from_config(tiny_config(model_type))  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for name, value in config.items():
            setattr(whole.config, name, value)
        for weight in whole.parameters():
            weight += 0.05 * torch.randn_like(weight)
    whole.eval().save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return whole


def with_projection(model: AdaptedModel, tokens: tuple[int, ...] | None = TOKENS, **config: Any) -> adaptkit.Adapter:  # noqa: ANN401
    return random_adapter(model, AdapterConfig(method=LORA, projection=ProjectionConfig(tokens=tokens), **config))


@pytest.mark.parametrize("model_type", ENCODERS)
def test_probabilities_are_those_of_the_class_with_the_head(model_type: str, tmp_path: Path) -> None:
    whole = saved_mlm(tmp_path / "mlm", model_type)
    model = adaptkit.load_model(tmp_path / "mlm", embeddings="paged")
    (_, (first, second)) = model.fill_mask(TEXTS, top=3)
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS[1:]))
    with torch.no_grad():
        expected = whole(ids, mask).logits[0].softmax(-1)
    special = model.backbone.tokenizer.all_special_ids
    for filled, place in zip((first, second), (ids[0] == 4).nonzero(), strict=True):
        wanted = expected[int(place)]
        wanted[special] = 0
        best = wanted.topk(3)
        assert [model.backbone.tokenizer.convert_tokens_to_ids(t.piece) for t in filled.tokens] == best.indices.tolist()
        assert [t.probability for t in filled.tokens] == pytest.approx(best.values.tolist(), rel=1e-3)
    assert (first.start, second.start) == (TEXTS[1].index("<mask>"), TEXTS[1].rindex("<mask>"))


def test_a_head_of_its_own_weights_is_read(tmp_path: Path) -> None:
    torch.manual_seed(3)
    whole: Any = AutoModelForMaskedLM.from_config(tiny_config("bert", tied=False))  # type: ignore[no-untyped-call]
    whole.config.tie_word_embeddings = False
    whole.cls.predictions.decoder.weight = torch.nn.Parameter(torch.randn(400, 32))
    whole.eval().save_pretrained(tmp_path / "mlm")
    tiny_tokenizer().save_pretrained(tmp_path / "mlm")
    model = adaptkit.load_model(tmp_path / "mlm")
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS[:1]))
    with torch.no_grad():
        expected = whole(ids, mask).logits[0, (ids[0] == 4)].softmax(-1)[:, 5:].max()
    assert model.fill_mask(TEXTS[:1], top=1)[0][0].tokens[0].probability == pytest.approx(float(expected), rel=1e-3)


@pytest.mark.parametrize(
    "config", [{}, {"invertible": InvertibleConfig()}, {"tokens": None}, {"pieces": PIECES}], ids=str
)
@pytest.mark.parametrize("model_type", ["bert", "albert"])
def test_a_kept_projection_is_what_its_formula_says(model_type: str, config: dict[str, Any]) -> None:
    model = unigram_model(model_type) if "pieces" in config else tiny_model(model_type)
    n_ids = 400 + (len(PIECES) if "pieces" in config else 0)
    adapter = with_projection(model, **{"tokens": (*TOKENS, n_ids - 1), **config})
    model.attach(adapter)
    (filled,) = model.fill_mask(TEXTS[:1], stack="sw", top=4)[0]
    own, projection = adapter.tensors, adapter.config.projection
    assert projection is not None
    reader = model.backbone.reader(adapter.config.reading)
    ids, mask = model.backbone.pad(reader.tokenize(TEXTS[:1]))
    with torch.no_grad(), model.active("sw"):
        state = model(ids, mask)[ids == 4]
    vector = state @ own["projection.transform.weight"].T + own["projection.transform.bias"]
    vector = torch.nn.functional.layer_norm(vector, (32,), own["projection.norm.weight"], own["projection.norm.bias"])
    layers = model.pinned("sw").layers["language/sw"]
    if layers.invertible is not None:
        vector = layers.invertible.inverse(vector)
    rows: Any = model.network.get_input_embeddings().weight
    if adapter.config.pieces is not None:
        rows = torch.cat([rows, next(value for name, value in own.items() if name.endswith(".rows"))])
    rows = rows[list(projection.tokens or range(n_ids))]
    if model_type == "albert":
        rows = rows @ model.network.encoder.embedding_hidden_mapping_in.weight.T  # type: ignore[union-attr]
    expected = (vector @ rows.T + own["projection.bias"]).softmax(-1)
    found = [token.probability for token in filled.tokens]
    assert found == sorted(found, reverse=True)
    assert set(torch.round(torch.tensor(found), decimals=5).tolist()) <= set(
        torch.round(expected.flatten(), decimals=5).tolist()
    )


def test_a_trimmed_table_names_only_tokens_that_it_has(tmp_path: Path) -> None:
    folder = str(saved_backbone(tmp_path / "backbone"))
    adapter = with_projection(adaptkit.load_model(folder), tokens=None)
    vocabulary = adaptkit.vocabulary_of(["The goat."], backbone=folder)
    model = adaptkit.load_model(folder, vocabulary=vocabulary)
    model.attach(adapter)
    kept = model.backbone.vocabulary
    assert kept is not None
    scores = scores_of_adapter(model.pinned("sw").layers["language/sw"], model.backbone)
    assert scores.ids.tolist() == kept.ids.tolist()
    assert len(scores.bias) == len(kept.ids) < 400
    assert model.fill_mask(TEXTS[:1], stack="sw")


def test_it_is_saved_and_read_exactly(tmp_path: Path) -> None:
    model = tiny_model()
    adapter = with_projection(model)
    loaded = load_adapter(adapter.save(tmp_path / "sw"))
    assert loaded.config == adapter.config
    assert all(torch.equal(tensor, loaded.tensors[name]) for name, tensor in adapter.tensors.items())
    model.attach(loaded)
    before = model.fill_mask(TEXTS, stack="sw")
    model.detach("sw")
    model.attach(adapter)
    assert model.fill_mask(TEXTS, stack="sw") == before
    assert f"its projection to {len(TOKENS):,} tokens is kept" in (tmp_path / "sw" / "README.md").read_text()


def test_training_keeps_it_where_that_is_asked_for() -> None:
    model = tiny_model()
    plain = train_adapter(**QUICK, objective="mlm", backbone=model)
    kept = train_adapter(**QUICK, objective="mlm", keep_projection=True, backbone=model)
    assert plain.config.projection is None
    assert kept.config.projection is not None
    assert kept.config.projection.tokens is not None
    assert all(torch.equal(tensor, kept.tensors[name]) for name, tensor in plain.tensors.items())
    model.attach(kept)
    (filled,) = model.fill_mask([SENTENCES[0].replace(SENTENCES[0].split()[1], "<mask>", 1)], stack="sw", top=3)[0]
    known = set(kept.config.projection.tokens)
    assert {model.backbone.tokenizer.convert_tokens_to_ids(token.piece) for token in filled.tokens} <= known
    again = train_adapter(**QUICK, objective="mlm", start=kept, backbone=model)
    assert again.config.projection is None


def test_each_text_has_its_own_stack_and_another_projection_may_be_named(tmp_path: Path) -> None:
    saved_mlm(tmp_path / "mlm", "bert")
    model = adaptkit.load_model(tmp_path / "mlm")
    sw = with_projection(model)
    ha = replace(with_projection(model, tokens=(7, 8, 9)), name="ha", language="ha")
    bare = random_adapter(model, AdapterConfig(method=LORA), kind="domain", name="news", seed=4)
    model.attach(sw, ha, bare)
    stacks = [None, "sw", "language/ha > domain/news"]
    together = model.fill_mask([TEXTS[0]] * 3, stacks=stacks)
    for found, stack in zip(together, stacks, strict=True):
        (alone,) = model.fill_mask([TEXTS[0]], stack=stack)
        for one, other in zip(found[0].tokens, alone[0].tokens, strict=True):
            assert one.piece == other.piece
            assert one.probability == pytest.approx(other.probability, rel=1e-4)
    assert len(together[2][0].tokens) == 3
    (of_ha,) = model.fill_mask([TEXTS[0]], by="ha")
    assert {token.piece for token in of_ha[0].tokens} == {token.piece for token in together[2][0].tokens}
    assert model.fill_mask([TEXTS[0]], stack="sw", by="backbone") != model.fill_mask([TEXTS[0]], stack="sw")


@pytest.mark.parametrize("mask", ["<mask>", "[MASK]"])
def test_either_mask_is_understood(mask: str) -> None:
    model = tiny_model()
    model.attach(with_projection(model))
    (filled,) = model.fill_mask([f"Habari {mask} leo"], stack="sw", top=2)
    assert (filled[0].start, len(filled[0].tokens)) == (7, 2)
    assert all(token.piece and token.text == token.text.strip() for token in filled[0].tokens)


def test_what_cannot_be_filled_is_refused() -> None:
    model = tiny_model()
    model.attach(with_projection(model))
    with pytest.raises(ConfigError, match=r"row 2 of the texts has no mask: write <mask>"):
        model.fill_mask([TEXTS[0], "Habari"], stack="sw")
    with pytest.raises(ConfigError, match=r"has <mask> and \[MASK\]"):
        model.fill_mask(["<mask> [MASK]"], stack="sw")
    with pytest.raises(ConfigError, match="within the 140 tokens"):
        model.fill_mask(["maji " * 200 + "<mask>"], stack="sw")
    assert model.fill_mask(TEXTS[0], stack="sw") == model.fill_mask([TEXTS[0]], stack="sw")[0]
    with pytest.raises(ConfigError, match="top must be at least 1"):
        model.fill_mask(TEXTS, stack="sw", top=0)
    with pytest.raises(ConfigError, match=r"no head for masked tokens, and no adapter in .* keep_projection=True"):
        model.fill_mask(TEXTS)
    with pytest.raises(ConfigError, match="masks are filled by an encoder"):
        tiny_model("llama").fill_mask(TEXTS)
    with pytest.raises(ConfigError, match="is an encoder-decoder"):
        tiny_model("t5").fill_mask(TEXTS)


def test_peft_is_given_the_lora_without_it(tmp_path: Path) -> None:
    adapter = with_projection(tiny_model())
    with pytest.raises(ConfigError, match="kept its projection"):
        adaptkit.export_peft(adapter, tmp_path / "lora")
    adaptkit.export_peft(adapter, tmp_path / "lora", without_head=True)
    assert load_adapter(tmp_path / "lora").config == AdapterConfig(method=LORA)
