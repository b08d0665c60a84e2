"""Adapters that bring pieces of text: attached, stacked, beside others in a batch, however the backbone is held."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import adaptkit
from adaptkit.attaching import RowGroups
from adaptkit.backbones import vocabulary_of
from adaptkit.composition import Average, Fuse, Stack
from adaptkit.errors import ConfigError, NotConvertible, ProbeMismatch, TokenizerMismatch
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, FusionConfig, InvertibleConfig, LoraConfig, PiecesConfig, Reading
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig
from tests.adapters import attach_random, random_adapter
from tests.pieces import OWN_PIECES, PIECES, invented_sentences
from tests.saved import saved_backbone
from tests.tiny import ENCODERS, VOCABULARY_SIZE, unigram_model, unigram_tokenizer
from tests.unit.storage.test_padded_tables import with_rows

KNOWN = ["The goat sleeps.", "Habari ya asubuhi"]
TEXTS = [*invented_sentences(3), *KNOWN]
LORA = AdapterConfig(method=LoraConfig(rank=2, sites=("attention.query",)))
TOPICS = AdapterConfig(
    method=LoraConfig(rank=2, sites=("ffn.output",)),
    head=HeadConfig(task_type="classification", labels=("farming", "health")),
)


@pytest.fixture
def model() -> AdaptedModel:
    return unigram_model()


@pytest.fixture
def dz(model: AdaptedModel) -> Adapter:
    return random_adapter(model, OWN_PIECES, name="dz")


def test_the_rows_stand_in_the_place_of_the_tables(model: AdaptedModel) -> None:
    """By hand: a table that is longer by the rows. A fresh LoRA does nothing."""
    layers = model.attach_layers("language/dz", OWN_PIECES)
    vectors = model.encode(TEXTS, stack="dz")
    table = model.backbone.network.get_submodule("embeddings.word_embeddings")
    assert layers.piece_rows is not None
    longer = torch.nn.Embedding(
        VOCABULARY_SIZE + len(PIECES),
        table.get_parameter("weight").shape[1],
        _weight=torch.cat([table.get_parameter("weight"), layers.piece_rows.rows.detach()]),
    )
    ids = [torch.tensor([row]) for row in model.backbone.reader(Reading(PIECES)).tokenize(TEXTS)]
    model.detach("dz")
    model.backbone.network.set_submodule("embeddings.word_embeddings", longer)
    with torch.no_grad():
        by_hand = [model.backbone.network(row).last_hidden_state[0].mean(dim=0) for row in ids]
    torch.testing.assert_close(vectors, torch.stack(by_hand))


def test_the_backbone_stays_as_it_was(model: AdaptedModel, dz: Adapter) -> None:
    before = {name: tensor.clone() for name, tensor in model.backbone.network.state_dict().items()}
    bare = model.encode(TEXTS)
    model.attach(dz)
    assert not torch.equal(model.encode(TEXTS, stack="dz"), bare)
    assert torch.equal(model.encode(TEXTS), bare)
    model.detach("dz")
    after = model.backbone.network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not any(module._forward_hooks for module in model.backbone.network.modules())


@pytest.mark.parametrize("model_type", ENCODERS)
def test_rows_of_a_batch_have_them_or_not(model_type: str) -> None:
    model = unigram_model(model_type)
    other = PiecesConfig(pieces=("▁ⴰⵣⵎⴰ", *PIECES.pieces[5:]), scores=(-1.0, *PIECES.scores[5:]))
    model.attach(
        random_adapter(model, OWN_PIECES, name="dz"),
        random_adapter(model, replace(OWN_PIECES, pieces=other), name="bo", seed=2),
        random_adapter(model, LORA, name="sw", seed=3),
    )
    stacks = ["dz", None, "bo", "sw", "dz > sw"]
    texts = [TEXTS[0]] * 3 + TEXTS[3:]
    together = model.encode(texts, stacks=stacks)
    alone = torch.cat([model.encode([text], stack=stack) for text, stack in zip(texts, stacks, strict=True)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(together[0], together[2])


def test_a_task_on_top_reads_by_the_pieces_below(model: AdaptedModel, dz: Adapter) -> None:
    topics = random_adapter(model, TOPICS, kind="task", name="topics", seed=4)
    model.attach(dz, topics)
    below = model.predict(TEXTS, stack="dz > topics")
    mixed = model.predict(TEXTS * 2, stacks=["dz > topics"] * 5 + ["topics"] * 5)
    bare = model.predict(TEXTS, stack="topics")
    for found, right in zip(mixed, [*below, *bare], strict=True):
        assert found.probabilities == pytest.approx(right.probabilities, abs=1e-5)
    # All letters are the same unknown token to the bare backbone.
    assert below[0].probabilities != pytest.approx(bare[0].probabilities, abs=1e-4)


FORMS: dict[str, dict[str, Any]] = {
    "paged": {"embeddings": "paged"},
    "int8": {"embeddings": "int8"},
    "nf4": {"embeddings": "nf4"},
    "4 bits": {"bits": 4},
    "16 bits": {"bits": 16},
}


@pytest.mark.parametrize("form", FORMS)
def test_however_the_table_is_held(form: str, tmp_path: Path) -> None:
    folder = saved_backbone(tmp_path, tokenizer=unigram_tokenizer())
    model = adaptkit.load_model(folder, **FORMS[form])
    dz = random_adapter(adaptkit.load_model(folder), OWN_PIECES, name="dz")
    model.attach(dz)
    found = model.encode(TEXTS, stack=dz)
    assert not torch.allclose(found, model.encode(TEXTS))
    if form == "paged":
        whole = adaptkit.load_model(folder)
        whole.attach(dz)
        torch.testing.assert_close(found, whole.encode(TEXTS, stack=dz))


@pytest.mark.parametrize("form", ["resident", "paged"])
def test_a_trimmed_table(form: str, tmp_path: Path) -> None:
    folder = saved_backbone(tmp_path, tokenizer=unigram_tokenizer())
    whole = adaptkit.load_model(folder)
    dz = random_adapter(whole, OWN_PIECES, name="dz")
    whole.attach(dz)
    vocabulary = vocabulary_of(TEXTS, languages=["sw", "en"], backbone=folder)
    trimmed = adaptkit.load_model(folder, vocabulary=vocabulary, embeddings=form)
    trimmed.attach(dz)
    torch.testing.assert_close(trimmed.encode(TEXTS, stack=dz), whole.encode(TEXTS, stack=dz))


@pytest.mark.parametrize(("there", "here"), [(400, 448), (448, 400)])
def test_a_table_that_is_filled_up(there: int, here: int, tmp_path: Path) -> None:
    folders = [with_rows(tmp_path / name, n) for name, n in (("there", there), ("here", here))]
    for folder in folders:
        unigram_tokenizer().save_pretrained(folder)
    theirs, ours = map(adaptkit.load_model, folders)
    dz = random_adapter(theirs, OWN_PIECES, name="dz")
    assert max(dz.probes[-1].ids) == there + len(PIECES) - 1
    for model in (theirs, ours):
        model.attach(dz)
    torch.testing.assert_close(ours.encode(TEXTS, stack=dz), theirs.encode(TEXTS, stack=dz))
    ours.detach("dz")
    broken = {name: tensor.flip(1) if name.endswith("rows") else tensor for name, tensor in dz.tensors.items()}
    with pytest.raises(ProbeMismatch):
        ours.attach(replace(dz, tensors=broken))


def test_two_that_bring_pieces_are_refused_in_one_stack(model: AdaptedModel, dz: Adapter) -> None:
    model.attach(dz, random_adapter(model, OWN_PIECES, name="bo", seed=2), random_adapter(model, LORA, name="sw"))
    with pytest.raises(ConfigError, match="dz and language/bo each bring pieces"):
        model.encode(TEXTS, stack=Stack("language/dz", "language/bo"))
    with pytest.raises(ConfigError, match="dz brings pieces of text of its own, which cannot be averaged"):
        model.encode(TEXTS, stack=Average("language/dz", "language/sw"))
    fusion = FusionConfig(fuses=("language/dz", "language/sw"), sites=("attention.query",))
    attach_random(model, "language/both", AdapterConfig(method=fusion))
    with pytest.raises(ConfigError, match="cannot be averaged or fused"):
        model.encode(TEXTS, stack=Stack(Fuse("language/dz", "language/sw")))


def test_ids_of_pieces_under_another_stack_are_refused(model: AdaptedModel, dz: Adapter) -> None:
    model.attach(dz)
    ids = model.backbone.reader(Reading(PIECES)).tokenize(TEXTS)
    with pytest.raises(ConfigError, match="knows the first 400: it was read by the pieces of another adapter"):
        model.encode_ids(ids, stacks=["dz", None, "dz", "dz", "dz"])
    with pytest.raises(ConfigError, match="has the token id 416, and what it is under knows the first 416"):
        model.encode_ids([[0, VOCABULARY_SIZE + len(PIECES), 2]], stack="dz")


@pytest.mark.parametrize("model_type", ["xlm-roberta", "llama"])
def test_ids_are_looked_at_only_where_pieces_are_there(model_type: str) -> None:
    model = unigram_model(model_type)
    invertible = AdapterConfig(method=BottleneckConfig(), invertible=InvertibleConfig())
    model.attach(random_adapter(model, invertible, name="sw", seed=3))
    plans = [model.pinned(stack).plan for stack in ("sw", None)]
    # Ids that nobody can look at: they have no values.
    ids = torch.empty((2, 3), dtype=torch.long, device="meta")
    model._passes._require_readable(ids, RowGroups.of(plans))
    if model_type == "llama":
        return
    model.attach(random_adapter(model, OWN_PIECES, name="dz"))
    with pytest.raises(RuntimeError, match="meta"):
        model._passes._require_readable(ids, RowGroups.of([model.pinned("dz").plan, plans[1]]))


def test_a_tokenizer_that_is_another_one_is_refused(dz: Adapter) -> None:
    other = unigram_tokenizer()
    other.add_tokens(["<other>"])
    model = AdaptedModel(replace(unigram_model().backbone, tokenizer=other))
    with pytest.raises(TokenizerMismatch):
        model.attach(dz)


def test_a_swap_changes_rows_and_reading_together(model: AdaptedModel, dz: Adapter) -> None:
    model.attach(dz)
    pinned = model.pinned("dz")
    before = model.encode(TEXTS, stack=pinned)
    fewer = replace(OWN_PIECES, pieces=PiecesConfig(pieces=PIECES.pieces[5:], scores=PIECES.scores[5:]))
    model.swap(random_adapter(model, fewer, name="dz", seed=5))
    assert torch.equal(model.encode(TEXTS, stack=pinned), before)
    assert not torch.allclose(model.encode(TEXTS, stack="dz")[:3], before[:3])


def test_what_has_no_place_for_them_says_so(model: AdaptedModel, dz: Adapter, tmp_path: Path) -> None:
    topics = random_adapter(model, TOPICS, kind="task", name="topics")
    model.attach(dz, topics)
    with pytest.raises(NotConvertible, match="a merged backbone has no place"):
        adaptkit.merge(model, "dz")
    with pytest.raises(NotConvertible, match="an ONNX model beside its tokenizer has no place"):
        adaptkit.export_onnx(model, "dz > topics", tmp_path / "onnx")
    with pytest.raises(NotConvertible, match="a pipeline of transformers has no place"):
        adaptkit.as_pipeline(model, "dz > topics")
    with pytest.raises(NotConvertible, match="dz brings 16 pieces of text with it, for which peft has no place"):
        adaptkit.export_peft(dz, tmp_path / "peft")
    with pytest.raises(NotConvertible, match="dz brings pieces of text with it"):
        adaptkit.combine([dz, dz.renamed("language/bo")], name="both", backbone=model)
    assert not any(tmp_path.iterdir())


def test_memory_counts_the_rows(model: AdaptedModel, dz: Adapter) -> None:
    before = model.memory()["adapters"]
    model.attach(dz)
    assert model.memory()["adapters"] - before == 4 * dz.n_parameters
    assert dz.n_parameters > len(PIECES) * model.backbone.shape.hidden_width


def test_gradients_reach_the_rows_that_are_read(model: AdaptedModel) -> None:
    layers = model.attach_layers("language/dz", OWN_PIECES)
    assert layers.piece_rows is not None
    ids, mask = model.backbone.pad(model.backbone.reader(Reading(PIECES)).tokenize(["ⵎⴰⵏⵓ the goat"]))
    for checkpointing in (False, True):
        model.gradient_checkpointing(checkpointing)
        layers.zero_grad()
        with model.active("dz"):
            states: Tensor = model(ids, mask)
        states.pow(2).sum().backward()  # type: ignore[no-untyped-call]
        assert layers.piece_rows.rows.grad is not None
        read = layers.piece_rows.rows.grad.abs().sum(dim=1).nonzero().flatten().tolist()
        assert read == sorted(token - VOCABULARY_SIZE for token in ids[0].tolist() if token >= VOCABULARY_SIZE)
