"""What trainings of objectives that add to others have from them: what the model or the text does not allow."""

from dataclasses import replace

import pytest

from adaptkit.data.sentence import Sentence
from adaptkit.layers.sentence_vectors import SentenceVectors
from adaptkit.methods import Reading
from adaptkit.model import AdaptedModel
from adaptkit.objectives import Distill, Gloss, Mlm, Nsp
from adaptkit.training.objectives.distill import DistillTraining
from adaptkit.training.objectives.gloss import GlossTraining
from adaptkit.training.objectives.mlm import MaskedTraining
from adaptkit.training.objectives.nsp import NextSentenceTraining
from adaptkit.training.tokenized_text import TokenizedText
from tests.dictionary import LEXICON
from tests.pieces import PIECES, invented_sentences
from tests.texts import tokenized
from tests.tiny import tiny_backbone, unigram_model


def text_with_pieces(model: AdaptedModel) -> TokenizedText:
    """Documents of three sentences, read by pieces."""
    sentences = [Sentence(text, document=number // 3) for number, text in enumerate(invented_sentences(72))]
    return replace(tokenized(sentences, model), reader=model.backbone.reader(Reading(PIECES)), lexicon=LEXICON)


@pytest.mark.parametrize("training", [DistillTraining, GlossTraining])
def test_no_pairs_train_where_a_vector_is_of_one_token(training: type[DistillTraining[Distill]]) -> None:
    model, notes = AdaptedModel(replace(tiny_backbone(), sentences=SentenceVectors("cls"))), list[str]()
    made = training(Gloss(pair_share=0.25, source_share=0.1), model, notes.append)
    assert made.options == Gloss(pair_share=0.0, source_share=0.1)
    assert [note.partition(" (")[0] for note in notes] == ["no pairs of sentences train"]


@pytest.mark.parametrize("training", [MaskedTraining, NextSentenceTraining])
def test_no_anchor_holds_what_the_frozen_backbone_cannot_read(training: type[MaskedTraining[Mlm]]) -> None:
    model, notes = unigram_model(), list[str]()
    made = training(Nsp(anchor=5.0, next_weight=0.5), model, notes.append)
    assert made.warmup_steps(100) == 25
    data = made.data(replace(text_with_pieces(model), note=notes.append))
    assert made.options == Nsp(anchor=0.0, next_weight=0.5)
    assert made.warmup_steps(100) == 0
    assert data.targets is None
    assert sum(note.startswith("no anchor holds sentences") for note in notes) == 1


def test_no_weights_of_masked_tokens_train_alone_where_glosses_stand_for_pieces() -> None:
    model = unigram_model()
    for text, n_steps in ((text_with_pieces(model), 0), (replace(text_with_pieces(model), reader=None), 25)):
        training = GlossTraining(Gloss(mlm_weight=0.5), model, list[str]().append)
        training.data(text)
        assert training.warmup_steps(100) == n_steps


@pytest.mark.parametrize("asked", [3, None])
def test_the_warm_up_that_was_asked_for_is_that_of_next_sentences_too(asked: int | None) -> None:
    training = NextSentenceTraining(Nsp(head_warmup=asked), unigram_model(), list[str]().append)
    assert training.head_warmup == asked
