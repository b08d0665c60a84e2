"""Sentences with a dictionary for a translator: their rows, what they are pulled towards, and what that costs."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

import pytest
import torch
from torch import Tensor

from adaptkit.data.sample import sample_sentences
from adaptkit.data.sentence import Sentence
from adaptkit.data.tokens import TokenStore
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.layers.pooling import pool_texts
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.objectives import Distill, Gloss
from adaptkit.task_types import IGNORED
from adaptkit.training import TrainingData
from adaptkit.training.objectives.distill import DistillTraining, depths_of
from adaptkit.training.objectives.gloss import GlossTraining, MaskedBeside
from adaptkit.training.objectives.glossed_text import glossed_text
from adaptkit.training.tokenized_text import TokenizedText
from tests.dictionary import ENTRIES, LEXICON
from tests.texts import tokenized
from tests.tiny import tiny_model
from tests.tolerance import rounded

TEXTS = [sentence.texts["sw"] for sentence in sample_sentences()][:60]
PLAIN: Mapping[str, Any] = {"copy_share": 0.0, "entry_share": 0.0}


def text_of(model: AdaptedModel, note: Callable[[str], None] = lambda _: None) -> TokenizedText:
    return replace(tokenized([Sentence(text) for text in TEXTS], model, note), lexicon=LEXICON)


def rows_of(model: AdaptedModel, **options: Any) -> list[Sentence]:  # noqa: ANN401
    made = glossed_text(text_of(model), LEXICON, Gloss(**options), model.backbone)
    assert made.n_measured == len(TEXTS)
    assert [model.backbone.tokenize([row.text])[0] for row in made.rows()] == [*made.tokens]
    return list(made.sentences())


def test_sentences_have_their_glosses_as_translations(model: AdaptedModel) -> None:
    rows, random = rows_of(model, **PLAIN), Random(0)
    assert rows == [Sentence(text, LEXICON.glossed(text, random)) for text in TEXTS]
    assert any(row.text != row.translation for row in rows)


def test_glosses_alone_train_as_translations_do(model: AdaptedModel) -> None:
    rows = rows_of(model, **PLAIN)
    found = GlossTraining(Gloss(**PLAIN), model, print).data(text_of(model))
    expected = DistillTraining(Distill(), model, print).data(tokenized(rows, model))
    assert found.sha256 == expected.sha256
    assert found.heldout == expected.heldout


def test_copies_are_of_trained_sentences_in_mixed_words_and_have_their_glosses(model: AdaptedModel) -> None:
    rows = rows_of(model, copy_share=1.0, entry_share=0.0, switch_rate=0.5, word_dropout=0.2)
    own, copies = rows[: len(TEXTS)], rows[len(TEXTS) :]
    gloss_of = {row.translation: number for number, row in enumerate(own)}
    numbers = [gloss_of[copy.translation] for copy in copies]
    data = GlossTraining(Gloss(), model, print).data(text_of(model))
    assert len(set(numbers)) == len(numbers) > 40
    assert not set(numbers) & set(data.heldout)
    pairs = [(own[number].text, copy.text) for number, copy in zip(numbers, copies, strict=True)]
    assert all(copy != text for text, copy in pairs)
    assert sum(len(copy.split()) < len(text.split()) for text, copy in pairs) > 20
    assert sum(" of " in copy for _, copy in pairs) > 10


def encoded_with(model: AdaptedModel, options: Gloss) -> tuple[TrainingData, TokenStore]:
    """What is trained on, and the translations that the frozen backbone read for it."""
    text, read = text_of(model), dict[str, TokenStore]()

    def encode(texts: TokenStore, what: str, **more: Any) -> Tensor:  # noqa: ANN401
        read[what] = texts
        return text.encode(texts, what, **more)

    data = GlossTraining(options, model, print).data(replace(text, encode=encode))
    return data, read["the translations"]


def test_the_gloss_of_a_copy_is_read_once(model: AdaptedModel) -> None:
    options = Gloss(copy_share=1.0, pair_share=0.0)
    data, store = encoded_with(model, options)
    rows = rows_of(model, copy_share=1.0)
    glosses = model.backbone.tokenize([row.translation or "" for row in rows])
    assert len(rows) > len(store) == len({tuple(ids) for ids in store})
    assert {tuple(ids) for ids in store} == {tuple(ids) for ids in glosses}
    # Every row has the vector of its own gloss.
    ids, mask = model.backbone.pad(glosses)
    with torch.no_grad():
        expected = pool_texts(model(ids, mask, blocks=depths_of(model.backbone.shape.n_blocks)), mask, None)
    assert data.targets is not None
    torch.testing.assert_close(data.targets[: len(rows)], expected)


def test_text_without_copies_is_read_as_it_is(model: AdaptedModel) -> None:
    store = encoded_with(model, Gloss(**PLAIN))[1]
    glosses = model.backbone.tokenize([row.translation or "" for row in rows_of(model, **PLAIN)])
    assert store.sha256() == TokenStore(glosses).sha256()


def test_a_copy_in_which_nothing_changes_is_none(model: AdaptedModel) -> None:
    assert len(rows_of(model, copy_share=1.0, entry_share=0.0, switch_rate=0.0, word_dropout=0.0)) == len(TEXTS)
    # Of a sentence of which all would be left out, all is kept.
    assert len(rows_of(model, copy_share=1.0, entry_share=0.0, switch_rate=0.0, word_dropout=1.0)) == len(TEXTS)


@pytest.mark.parametrize(("share", "n_entries"), [(0.1, 6), (1.0, len(ENTRIES))])
def test_entries_are_short_pairs(share: float, n_entries: int, model: AdaptedModel) -> None:
    added = [tuple(row[:2]) for row in rows_of(model, copy_share=0.0, entry_share=share)[len(TEXTS) :]]
    assert len(set(added)) == len(added) == n_entries
    assert set(added) <= set(ENTRIES)


def test_the_seed_decides_the_rows(model: AdaptedModel) -> None:
    assert rows_of(model) == rows_of(model)
    other = glossed_text(replace(text_of(model), seed=1), LEXICON, Gloss(), model.backbone)
    assert list(other.sentences()) != rows_of(model)


def test_what_trains_is_told(model: AdaptedModel) -> None:
    notes: list[str] = []
    strange = replace(text_of(model, notes.append), lexicon=replace(LEXICON, entries=(("barabara", "road"),)))
    GlossTraining(Gloss(copy_share=0.0, entry_share=0.5), model, notes.append).data(strange)
    without = sum("barabara" not in text.lower() for text in TEXTS)
    assert notes[0] == f"{without} of 60 sentences have no word of the dictionary, and are kept where they are"
    assert notes[1] == "1 entry of the dictionary trains too"


def test_without_a_dictionary_there_is_nothing_to_train_towards(model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match="needs a dictionary"):
        GlossTraining(Gloss(), model, print).data(replace(text_of(model), lexicon=None))


def masked_training(model: AdaptedModel, *, anchor_share: float = 1.0) -> tuple[TrainingData, MaskedBeside]:
    training = GlossTraining(Gloss(mlm_weight=0.25, anchor_share=anchor_share), model, print)
    assert training.warmup_steps(100) == 25
    data = training.data(text_of(model))
    loss = training.loss(model.attach_layers("language/sw", CONFIG), data, torch.float32)
    assert isinstance(loss, MaskedBeside)
    return data, loss


CONFIG = AdapterConfig(method=LoraConfig(rank=2))


def test_masked_tokens_of_the_texts_own_sentences_cost_beside_it(model: AdaptedModel) -> None:
    data, loss = masked_training(model)
    assert data.row_labels is not None
    assert Counter(data.row_labels.tolist()) == {1: len(TEXTS), IGNORED: len(data.sentences) - len(TEXTS)}
    plain = data.batch([0, 1, 2, len(data.sentences) - 1], model.backbone)
    batch = loss.prepare(plain)
    assert torch.equal(batch.mask, plain.mask)
    changed = (batch.ids != plain.ids).any(dim=1).tolist()
    assert changed[:3] != [False] * 3
    assert not changed[3]
    with model.active("language/sw"), torch.no_grad():
        hidden = model(batch.ids, batch.mask, blocks=loss.blocks)
    batch = replace(batch, frozen=hidden)
    with torch.no_grad():
        measures = loss.measures(hidden, batch)
    last = hidden[..., -model.backbone.shape.hidden_width :]
    assert float(measures["token_loss"]) == rounded(float(loss.masked.token_loss(last, batch).detach()))
    expected = float(loss.distill(hidden, batch)) + 0.25 * float(measures["token_loss"])
    assert float(measures["loss"]) == float(loss(hidden, batch).detach()) == rounded(expected)


def test_anchors_are_thinned_beside_masks_too(model: AdaptedModel) -> None:
    data, loss = masked_training(model, anchor_share=0.5)
    batch = loss.train().prepare(data.batch([0, 1, 2, 3], model.backbone))
    assert batch.anchors is not None
    assert int((batch.anchors > 0).sum()) == 2


def test_a_batch_without_own_sentences_has_nothing_masked(model: AdaptedModel) -> None:
    data, loss = masked_training(model)
    last = len(data.sentences) - 1
    plain = data.batch([last - 1, last], model.backbone)
    batch = loss.prepare(plain)
    assert torch.equal(batch.ids, plain.ids)
    hidden = model(batch.ids, batch.mask, blocks=loss.blocks)
    with torch.no_grad():
        measures = loss.measures(hidden, replace(batch, frozen=hidden))
    assert float(measures["token_loss"]) == 0.0
    assert bool(measures["loss"].isfinite())


def test_without_weight_it_is_distillation_and_nothing_is_masked(model: AdaptedModel) -> None:
    training = GlossTraining(Gloss(), model, print)
    data = training.data(text_of(model))
    assert (data.row_labels, training.warmup_steps(100)) == (None, 0)
    loss = training.loss(model.attach_layers("language/sw", CONFIG), data, torch.float32)
    batch = data.batch([0, 1], model.backbone)
    assert loss.prepare(batch) is batch


def test_a_decoder_has_no_masks() -> None:
    with pytest.raises(ConfigError, match="'mlm' does not go with a decoder"):
        GlossTraining(Gloss(mlm_weight=0.1), tiny_model("llama"), print)
    GlossTraining(Gloss(), tiny_model("llama"), print)
