"""Texts read with their gloss behind them."""

import pytest

from adaptkit.backbones import Backbone
from adaptkit.backbones.gloss_reader import GlossReader
from adaptkit.methods import Reading
from tests.glossaries import GLOSSES
from tests.pieces import PIECES
from tests.tiny import VOCABULARY_SIZE, tiny_backbone, unigram_model

TEXT, GLOSSED = "goli na kasi", "goli na kasi goat na water"


@pytest.fixture
def backbone() -> Backbone:
    return tiny_backbone()


@pytest.fixture
def reader(backbone: Backbone) -> GlossReader:
    found = backbone.reader(Reading(glossary=GLOSSES))
    assert isinstance(found, GlossReader)
    return found


def test_a_text_is_read_with_its_gloss_behind_it(backbone: Backbone, reader: GlossReader) -> None:
    assert reader.tokenize([TEXT, "the farmer", ""]) == backbone.tokenize([GLOSSED, "the farmer", ""])
    assert reader.max_length == backbone.max_length
    assert reader.behind("query: ").tokenize([TEXT]) == backbone.behind("query: ").tokenize([GLOSSED])


def test_each_of_two_texts_has_its_own(backbone: Backbone, reader: GlossReader) -> None:
    assert reader.tokenize_pairs([(TEXT, "bolo")]) == backbone.tokenize_pairs([(GLOSSED, "bolo school")])
    assert reader.tokenize_two([(TEXT, "bolo")]) == backbone.tokenize_two([(GLOSSED, "bolo school")])


def test_a_gloss_is_cut_before_its_text_and_that_is_no_loss(backbone: Backbone, reader: GlossReader) -> None:
    (whole,) = backbone.tokenize([TEXT])
    ((ids, was_cut),) = reader.tokenize_cutting([(TEXT, None)], max_length=len(whole) + 1)
    assert ids[: len(whole) - 1] == whole[:-1]
    assert len(ids) == len(whole) + 1
    assert not was_cut
    ((_, was_cut),) = reader.tokenize_cutting([(TEXT, None)], max_length=len(whole) - 1)
    assert was_cut


def test_two_texts_that_leave_no_room_are_read_without(backbone: Backbone, reader: GlossReader) -> None:
    pair = (TEXT, "kasi na bolo")
    (plain,) = backbone.tokenize_pairs([pair])
    assert reader.tokenize_cutting([pair], max_length=len(plain) + 2) == [(plain, False)]


def test_all_that_is_asked_of_two_texts_without_room_is_of_their_plain_tokens(
    backbone: Backbone, reader: GlossReader
) -> None:
    pair = (TEXT, "kasi na bolo")
    ((plain, start),) = backbone.tokenize_two([pair])
    room = len(plain) + 2
    assert reader.tokenize_two([pair], max_length=room) == [(plain, start)]
    assert reader.places_of_pairs([pair], max_length=room) == backbone.places_of_pairs([pair])


def test_no_more_of_a_long_text_is_glossed_than_could_be_read(backbone: Backbone) -> None:
    asked: list[int] = []

    def gloss(text: str) -> str:
        asked.append(len(text))
        return "goat"

    reader = GlossReader(backbone, gloss)
    long = f"{TEXT} " * 10_000
    assert reader.tokenize([long]) == backbone.tokenize([long])
    reader.tokenize_words([long.split()])
    assert asked == [16 * backbone.max_length] * 2


def test_a_text_without_a_gloss_is_read_as_it_is(reader: GlossReader) -> None:
    assert reader.glossed("nothing known \n") == "nothing known \n"
    assert reader.glossed("goli") == "goli goat"


def test_words_of_a_gloss_have_no_place(backbone: Backbone, reader: GlossReader) -> None:
    ((ids, places),) = reader.tokenize_words([TEXT.split()])
    assert ids == backbone.tokenize_words([GLOSSED.split()])[0][0]
    assert places == backbone.tokenize_words([TEXT.split()])[0][1]
    numbers = reader.places_of_words(TEXT.split())
    assert len(numbers) == len(ids)
    assert {number for number in numbers if number is not None} == {0, 1, 2}


def test_tokens_of_a_gloss_stand_for_no_characters(backbone: Backbone, reader: GlossReader) -> None:
    (row,) = reader.places_of_pairs([(TEXT, "bolo")])
    assert len(row) == len(reader.tokenize_pairs([(TEXT, "bolo")])[0])
    placed = [place for place in row if place is not None]
    assert placed == [place for place in backbone.places_of_pairs([(TEXT, "bolo")])[0] if place is not None]


def test_windows_of_a_long_text_have_none(backbone: Backbone, reader: GlossReader) -> None:
    asked = (["goli?"], [f"{TEXT} " * 20])
    read = reader.tokenize_windows(*asked, max_length=40, stride=8)
    assert [window.ids for window in read] == [
        window.ids for window in backbone.tokenize_windows(*asked, max_length=40, stride=8)
    ]


def test_pieces_and_glosses_together() -> None:
    backbone = unigram_model().backbone
    (ids,) = backbone.reader(Reading(PIECES, GLOSSES)).tokenize(["ⵎⴰⵏⵓ goli"])
    assert max(ids) >= VOCABULARY_SIZE
    assert ids == backbone.reader(Reading(PIECES)).tokenize(["ⵎⴰⵏⵓ goli ⵎⴰⵏⵓ goat"])[0]
