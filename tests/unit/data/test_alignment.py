"""Words that go together in translations."""

import random

import pytest

from adaptkit.data.alignment import Link, linked_places, linked_words
from tests.glossaries import MEANINGS, translated_pairs

PAIRS = [(ours, theirs) for theirs, ours in translated_pairs(80)]


def links(pairs: list[tuple[str, str]]) -> dict[str, Link]:
    return {link.word: link for link in linked_words(pairs).links}


def test_every_word_goes_with_what_it_means() -> None:
    found = links(PAIRS)
    assert {word: link.translation for word, link in found.items()} == MEANINGS
    # Nothing else ever stands beside all of a word's sentences.
    assert min(link.score for link in found.values()) > 0.8


def test_order_of_words_is_a_hint_and_no_condition() -> None:
    turned = [(ours, " ".join(reversed(theirs.split()))) for ours, theirs in PAIRS]
    assert {word: link.translation for word, link in links(turned).items()} == MEANINGS


def test_a_word_that_means_two_things_is_less_sure() -> None:
    draw = random.Random(1)
    mixed = [
        (ours, " ".join(draw.choice((word, "town")) if word == "school" else word for word in theirs.split()))
        for ours, theirs in PAIRS
    ]
    found = links(mixed)
    assert found["bolo"].translation in ("school", "town")
    assert found["bolo"].score < min(link.score for word, link in found.items() if word != "bolo")


def test_words_are_told_without_capitals_and_written_as_most_often() -> None:
    pairs = [("Goli, bolo!", "A Goat? School"), ("goli bolo dalo", "goat school river"), ("GOLI dalo", "goat river")]
    found = links(pairs * 3)
    assert found["goli"].translation == "goat"
    assert set(found) == {"goli", "bolo", "dalo"}


@pytest.mark.parametrize("pairs", [[], [("", "goat")], [("goli", "1 2 3")], [("goli " * 81, "goat")]])
def test_what_has_no_words_says_nothing(pairs: list[tuple[str, str]]) -> None:
    assert linked_words(pairs) == ([], 0)


def test_one_sentence_says_little() -> None:
    assert all(link.score <= 1 for link in linked_words([("goli bolo", "goat school")]).links)


@pytest.mark.parametrize(("bound", "most"), [("_MOST_COUPLES", 4 * 9 + 8), ("_MOST_PAIRS", 4)])
def test_where_memory_does_not_hold_all_some_that_are_spread_over_all_are_read(
    monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    first, rest = [("goli bolo", "goat school")] * 6, [("dalo kasi", "river water")] * 6
    monkeypatch.setattr(f"adaptkit.data.alignment.{bound}", most)
    found = linked_words([*first, *rest])
    assert found.n_read == 4
    assert {link.word for link in found.links} == {"goli", "bolo", "dalo", "kasi"}
    assert linked_words([*first, *rest]) == found


def test_long_sentences_leave_room_for_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptkit.data.alignment._MOST_COUPLES", 10 * 9)
    found = linked_words([*[("goli bolo " * 8, "goat school " * 8)] * 2, *[("dalo kasi", "river water")] * 30])
    assert 0 < found.n_read <= 10


def test_of_words_that_are_as_sure_the_first_is_taken() -> None:
    # Each stands as often at each place; the last bits of their scores are of the order in which numbers are added.
    pairs = [
        ("goli aaa", "goats goat aaa"),
        ("fff aaa ddd goli ddd", "fff aaa ddd goat goats ddd"),
        ("ccc ddd goli", "goats goat ccc ddd"),
        ("goli aaa", "goat goats aaa"),
        ("ccc ddd goli", "goat goats ccc ddd"),
        ("fff aaa ddd goli ddd", "fff aaa ddd goats goat ddd"),
    ]
    assert links(pairs)["goli"].translation == "goats"


def test_an_apostrophe_that_is_a_letter_begins_no_word() -> None:
    pairs = [("ʻoku goli ʼ", "is goat"), ("'oku bolo ʼ", "is school"), ("ŉ goli ʼ", "a goat")] * 3
    assert set(links(pairs)) == {"oku", "goli", "bolo", "n"}


def test_each_word_of_a_pair_is_linked_with_the_one_that_it_means() -> None:
    # The first word is the last one of the translation, so that places alone do not say it.
    pairs = [(ours, " ".join([*theirs.split()[1:], *theirs.split()[:1]])) for ours, theirs in PAIRS]
    found = list(linked_places(pairs, str.split))
    assert [each.number for each in found] == list(range(len(pairs)))
    linked = right = 0
    for number, words, others, links in found:
        assert (" ".join(words), " ".join(others)) == pairs[number]
        assert len({link.ours for link in links}) == len({link.theirs for link in links}) == len(links)
        linked += len(links)
        right += sum(MEANINGS[words[link.ours]] == others[link.theirs] for link in links)
        assert all(0 < link.score <= 1 for link in links)
    assert linked > 0.8 * sum(len(ours.split()) for ours, _ in pairs)
    assert right > 0.95 * linked


def test_links_are_of_the_pairs_that_are_read() -> None:
    pairs = [("goli", "goat"), ("", "goat"), ("goli " * 81, "goat"), ("goli", "goat")]
    assert [(each.number, len(each.links)) for each in linked_places(pairs, str.split)] == [(0, 1), (3, 1)]
    assert list(linked_places([], str.split)) == []
