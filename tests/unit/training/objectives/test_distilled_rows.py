"""The rows that distillation trains on, and what each is pulled towards."""

import torch

from adaptkit.data.batching import heldout_rows
from adaptkit.data.sample import sample_pairs
from adaptkit.data.sentence import Sentence
from adaptkit.layers.pooling import pool_texts
from adaptkit.model import AdaptedModel
from adaptkit.objectives import Distill
from adaptkit.training import TrainingData
from adaptkit.training.objectives.distilled_rows import distilled_rows
from tests.texts import tokenized
from tests.tiny import tiny_model

TEXTS = sample_pairs("sw")[:40]


def rows_of(options: Distill, model: AdaptedModel) -> TrainingData:
    sentences = [Sentence(text, translation) for translation, text in TEXTS]
    return distilled_rows(tokenized(sentences, model), options, model.backbone)


def test_every_text_is_drawn_to_its_translation_in_the_same_place() -> None:
    model = tiny_model()
    data = rows_of(Distill(source_share=1.0), model)
    n_pairs = round(0.5 * (40 - len(heldout_rows(40, seed=0))))
    assert len(data.sentences) == 2 * (40 + n_pairs)
    assert data.first_lengths is not None
    assert data.targets is not None
    assert (data.first_lengths > 0).nonzero()[0].tolist() == [
        *range(40, 40 + n_pairs),
        *range(80 + n_pairs, 80 + 2 * n_pairs),
    ]
    # Translations are pulled towards their own vectors, which are then those of the sentences too.
    n_ours, n_rows = 40 + n_pairs, len(data.sentences)
    batch = data.batch(list(range(n_ours, n_rows)), model.backbone)
    assert batch.targets is not None
    with torch.no_grad():
        own = pool_texts(model(batch.ids, batch.mask), batch.mask, batch.first_lengths)
    torch.testing.assert_close(own, batch.targets)
    torch.testing.assert_close(data.targets[:n_ours], data.targets[n_ours:n_rows])
    seconds = data.targets[n_rows:]
    torch.testing.assert_close(seconds[:n_pairs], seconds[n_pairs:])


def test_held_out_sentences_are_in_no_pair() -> None:
    model = tiny_model()
    data = rows_of(Distill(pair_share=1.0, source_share=0.0), model)
    held_out, trained = data.heldout, set(range(40)) - set(data.heldout)
    pairs = [_written(data, row) for row in range(40, len(data.sentences))]
    assert not any(_written(data, row)[2:-2] in pair for row in held_out for pair in pairs)
    assert all(any(_written(data, row)[2:-2] in pair for pair in pairs) for row in trained)


def _written(data: TrainingData, row: int) -> str:
    return " ".join(map(str, data.sentences[row]))


def test_anchors_hold_translations_most() -> None:
    data = rows_of(Distill(token_anchor=0.25), tiny_model())
    assert data.anchors is not None
    n_theirs = int((data.anchors == 1.0).sum())
    n_pairs = round(0.5 * (40 - len(data.heldout)))
    assert n_theirs == round(40 * 0.3) + round(n_pairs * 0.3)
    assert data.anchors[: 40 + n_pairs].tolist() == [0.25] * (40 + n_pairs)


def test_without_pairs_and_anchors_there_are_sentences_and_translations_alone() -> None:
    data = rows_of(Distill(pair_share=0.0, token_anchor=0.0), tiny_model())
    assert (len(data.sentences), data.first_lengths, data.anchors) == (52, None, None)
    assert data.targets is not None
    assert len(data.targets) == 52


def test_anchors_may_hold_the_words_that_a_translation_has_too() -> None:
    model = tiny_model()
    # Every other translation has a word of its sentence.
    sentences = [
        Sentence(f"{text} Amina", f"Amina {translation}" if row % 2 else translation)
        for row, (translation, text) in enumerate(TEXTS)
    ]
    data = distilled_rows(tokenized(sentences, model), Distill(anchor_on="shared"), model.backbone)
    assert data.anchored_tokens is not None
    assert data.anchors is not None
    assert data.anchored_tokens.lengths.tolist() == data.sentences.lengths.tolist()
    word = model.backbone.tokenize(["Amina"])[0][1:-1]
    for row in range(40):
        flags = data.anchored_tokens[row]
        ids = [token for token, held in zip(data.sentences[row], flags, strict=True) if held]
        assert (ids[-len(word) :] == word) == bool(row % 2)
        assert (float(data.anchors[row]) > 0) == any(flags)
    theirs = [row for row in range(len(data.sentences)) if float(data.anchors[row]) == 1.0]
    assert len(theirs) == round(40 * 0.3) + round(round(0.5 * (40 - len(data.heldout))) * 0.3)
    assert all(all(data.anchored_tokens[row]) for row in theirs)
    everywhere = distilled_rows(tokenized(sentences, model), Distill(), model.backbone)
    assert everywhere.anchored_tokens is None
    assert everywhere.sha256 != data.sha256
