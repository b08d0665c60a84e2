import pytest

from adaptkit.backbones import Backbone
from adaptkit.data.read_words import PlacedPiece, given_words, words_read
from adaptkit.data.words import words_of
from tests.tiny import prefixed_model, tiny_backbone


def read(text: str, *pieces: tuple[int, int] | None) -> tuple[list[str], tuple[int | None, ...]]:
    found = words_read([text], [[None if place is None else PlacedPiece(0, place) for place in pieces]])
    return [word.text for word in found.words], found.of_pieces[0]


def test_pieces_make_words_and_punctuation_is_one_by_itself() -> None:
    assert read("goats eat.", None, (0, 3), (3, 5), (5, 9), (9, 10), None) == (
        ["goats", "eat", "."],
        (None, 0, 0, 1, 2, None),
    )


def test_what_one_piece_covers_is_one_word() -> None:
    assert read("so... yes", (0, 2), (2, 5), (6, 9)) == (["so", "...", "yes"], (0, 1, 2))
    assert read("a-b c", (0, 5)) == (["a-b c"], (0,))


def test_scripts_without_spaces_are_cut_by_their_pieces() -> None:
    assert read("山羊吃草", (0, 2), (2, 3), (3, 4)) == (["山羊", "吃", "草"], (0, 1, 2))


def test_several_pieces_of_one_letter_are_of_its_word() -> None:
    assert read("ẹ̀ja", (0, 1), (0, 1), (1, 4)) == (["ẹ̀ja"], (0, 0, 0))


def test_white_space_is_of_the_next_word_and_of_none_at_the_end() -> None:
    assert read("goats  eat ", (0, 5), (5, 6), (6, 10), (10, 11)) == (["goats", "eat"], (0, 1, 1, None))


def test_a_word_that_was_not_read_is_left_out() -> None:
    assert read("goats eat grass", (0, 5), (6, 9)) == (["goats", "eat"], (0, 1))


def test_one_word_that_several_rows_read_is_one() -> None:
    rows = [[PlacedPiece(0, (0, 2)), PlacedPiece(1, (0, 3))], [PlacedPiece(0, (0, 2)), PlacedPiece(2, (0, 2))]]
    found = words_read(["it", "yes", "no"], rows)
    assert [(word.text, word.side) for word in found.words] == [("it", 0), ("yes", 1), ("no", 2)]
    assert found.of_pieces == ((0, 1), (0, 2))


def test_given_words_stay_as_they_were_given_without_those_that_were_cut() -> None:
    found = given_words(["U.N.", "helps", "us"], [[None, 0, 0, 1, None]])
    assert [(word.text, word.start, word.end) for word in found.words] == [("U.N.", 0, 4), ("helps", 5, 10)]
    assert found.texts == ("U.N. helps us",)


@pytest.mark.parametrize("backbone", [tiny_backbone(), prefixed_model("query: ").backbone], ids=["plain", "prefix"])
@pytest.mark.parametrize("pair", [None, "It sleeps."])
def test_a_tokenizer_says_where_its_tokens_stand(backbone: Backbone, pair: str | None) -> None:
    text = "The goat sleeps, says Amina."
    (row,) = backbone.places_of_pairs([(text, pair)])
    (ids,) = backbone.tokenize_pairs([(text, pair)])
    assert len(row) == len(ids)
    texts = [text] if pair is None else [text, pair]
    found = words_read(texts, [row])
    for side, each in enumerate(texts):
        own = [word for word in found.words if word.side == side]
        # A piece may hold a letter and the full stop behind it, which then are one word.
        assert "".join(word.text for word in own) == "".join(each.split())
        assert len(each.split()) <= len(own) <= len(words_of(each))


def test_windows_say_it_of_question_and_context() -> None:
    backbone = prefixed_model("query: ").backbone
    question, context = "Who sold maize?", "In week 3 there was a market. Amina sold maize there."
    windows = backbone.tokenize_windows([question], [context], max_length=40, stride=4)
    assert len(windows) > 1
    for window in windows:
        words = words_read([question, context], [backbone.places_of_window(window)]).words
        assert "".join(word.text for word in words if word.side == 0) == "Whosoldmaize?"
        of_context = [word for word in words if word.side == 1]
        assert of_context
        assert all(context[word.start : word.end] == word.text for word in of_context)


def test_words_of_a_sentence_are_numbered_without_the_prefix() -> None:
    backbone = prefixed_model("query: ").backbone
    words = ["Amina", "sleeps"]
    ((ids, places),) = backbone.tokenize_words([words])
    numbers = backbone.places_of_words(words)
    assert len(numbers) == len(ids)
    assert [numbers.index(number) for number in (0, 1)] == places
