"""Text read by a tokenizer's own pieces and others."""

from dataclasses import replace

import pytest
from tokenizers import AddedToken

from adaptkit.backbones import Backbone
from adaptkit.data.sample import sample_sentences
from adaptkit.errors import ConfigError
from adaptkit.methods import PiecesConfig, Reading
from tests.pieces import PIECES, invented_sentences
from tests.tiny import VOCABULARY_SIZE, tiny_backbone, unigram_model, unigram_tokenizer

UNKNOWN = 3


@pytest.fixture
def backbone() -> Backbone:
    return unigram_model().backbone


def test_nothing_is_unknown_any_more(backbone: Backbone) -> None:
    texts = invented_sentences(20)
    assert all(UNKNOWN in row for row in backbone.tokenize(texts))
    read = backbone.reader(Reading(PIECES)).tokenize(texts)
    assert not any(UNKNOWN in row for row in read)
    own = {token for row in read for token in row if token >= VOCABULARY_SIZE}
    assert own <= set(range(VOCABULARY_SIZE, VOCABULARY_SIZE + len(PIECES)))


def test_ids_are_the_places_of_pieces_by_their_scores(backbone: Backbone) -> None:
    # "ⵏⵓ" is one piece, as it is more probable than its two letters.
    (ids,) = backbone.reader(Reading(PIECES)).tokenize(["ⵎⴰⵏⵓ"])
    assert ids == [0, VOCABULARY_SIZE + 1, VOCABULARY_SIZE + 2, 2]
    letters = replace(PIECES, scores=(*PIECES.scores[:2], -30.0, *PIECES.scores[3:]))
    assert len(backbone.reader(Reading(letters)).tokenize(["ⵎⴰⵏⵓ"])[0]) == 5


def test_what_the_tokenizer_knows_is_read_as_before(backbone: Backbone) -> None:
    texts = [text for sentence in sample_sentences() for text in sentence.texts.values()][:200]
    known = [text for text, row in zip(texts, backbone.tokenize(texts), strict=True) if UNKNOWN not in row]
    assert len(known) > 100
    assert backbone.reader(Reading(PIECES)).tokenize(known) == backbone.tokenize(known)


def test_words_pairs_and_cuts(backbone: Backbone) -> None:
    reader = backbone.reader(Reading(PIECES))
    ((ids, places),) = reader.tokenize_words([["ⵎⴰⵏⵓ", "the", "ⴰⵣ"]])
    assert [ids[place] for place in places][::2] == [VOCABULARY_SIZE + 1, VOCABULARY_SIZE]
    ((ids, at),) = reader.tokenize_two([("ⵎⴰ", "ⴰⵣ")])
    assert ids[at] == VOCABULARY_SIZE
    ((ids, was_cut),) = reader.tokenize_cutting([("ⵎⴰ " * 50, None)], max_length=12)
    assert len(ids) == 12
    assert was_cut
    assert reader.max_length == backbone.max_length


def test_another_prefix(backbone: Backbone) -> None:
    reader = backbone.reader(Reading(PIECES))
    assert reader.prefix_length == 1
    behind = reader.behind("ⵎⴰ ")
    assert behind.tokenize(["ⴰⵣ"]) == reader.tokenize(["ⵎⴰ ⴰⵣ"])
    assert behind.prefix_length == 2
    assert reader.tokenize(["ⴰⵣ"]) == [[0, VOCABULARY_SIZE, 2]]


def test_tokens_added_to_the_tokenizer_keep_their_ids() -> None:
    tokenizer = unigram_tokenizer()
    tokenizer.add_tokens([AddedToken("<extra>")])
    backbone = replace(tiny_backbone(), tokenizer=tokenizer)
    text = ["a <extra> ⴰⵣ"]
    before, after = backbone.tokenize(text)[0], backbone.reader(Reading(PIECES)).tokenize(text)[0]
    assert tokenizer.convert_tokens_to_ids("<extra>") in before
    assert tokenizer.convert_tokens_to_ids("<extra>") in after


def test_a_reader_is_made_once_and_few_are_kept(backbone: Backbone) -> None:
    assert backbone.reader() is backbone
    assert backbone.reader(Reading(PIECES)) is backbone.reader(Reading(replace(PIECES)))
    for score in range(1, 9):
        backbone.reader(Reading(PiecesConfig(pieces=("ⴰ",), scores=(-float(score),))))
    assert len(backbone._readers) == 4


def test_a_tokenizer_without_scores_is_refused() -> None:
    with pytest.raises(ConfigError, match="of the kind BPE, whose pieces have no scores"):
        tiny_backbone().reader(Reading(PIECES))


def test_a_piece_of_the_tokenizer_is_refused(backbone: Backbone) -> None:
    with pytest.raises(ConfigError, match="has 1 of the pieces already"):
        backbone.reader(Reading(PiecesConfig(pieces=("ⴰ", "</s>"), scores=(-1.0, -1.0))))
