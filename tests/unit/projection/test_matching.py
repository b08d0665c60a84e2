"""Names matched by their letters, in several scripts; and by links of words, made by hand."""

import pytest

from adaptkit.data.words import words_of
from adaptkit.projection.copies import likeness, plain
from adaptkit.projection.entities import Span, spans_of, tags_of
from adaptkit.projection.placing import (
    Placed,
    copies_of,
    linked_place,
    untold_copies,
    without_overlaps,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Wangari's goats (12.5 kg) left.", ["Wangari's", "goats", "(", "12.5", "kg", ")", "left", "."]),
        ("Jean-Paul na U.N.", ["Jean-Paul", "na", "U.N", "."]),
        ("Sarki ya'u, ƙanen Musa!", ["Sarki", "ya'u", ",", "ƙanen", "Musa", "!"]),
        ("ካሳ ወደ ጎንደር፥ ሄደ።", ["ካሳ", "ወደ", "ጎንደር", "፥", "ሄደ", "።"]),
        ("राम दिल्ली गया।", ["राम", "दिल्ली", "गया", "।"]),
        ("", []),
    ],
)
def test_sentences_are_cut_into_words(text: str, words: list[str]) -> None:
    assert list(words_of(text)) == words


def test_a_script_without_spaces_is_cut_into_its_characters() -> None:
    assert words_of("ดีมาก Nairobi") == ("ดี", "ม", "า", "ก", "Nairobi")
    assert words_of("内罗毕") == ("内", "罗", "毕")


@pytest.mark.parametrize(
    ("ours", "theirs", "how"),
    [
        ("Nairobi", "Nairobi", "same"),
        ("Nairobi", "NAIROBI", "case"),
        ("Jose Alvarez", "José Álvarez", "marks"),
        ("McDonald", "Mc-Donald", "marks"),
        ("Ọyọ", "Oyo", "marks"),
        ("Kenya", "eKenya", "affix"),
        ("Nairobi", "Nairobini", "affix"),
        ("Mohammed", "Muhammed", "spelling"),
        ("Ελλάδα", "ΕΛΛΑΔΑ", "marks"),
        ("Толстой", "Толстого", "spelling"),
        ("ጎንደር", "በጎንደር", "affix"),
        ("दिल्ली", "दिल्ली", "same"),
        ("2019", "2018", None),
        ("2019", "20190", None),
        ("Paris", "parish", None),
        ("Rome", "Rode", None),
        ("दिल्ली", "दिल", None),
        ("Kenya", "Uganda", None),
        ("-", "–", None),
    ],
)
def test_copies_are_told_from_other_words(ours: str, theirs: str, how: str | None) -> None:
    found = likeness(ours, theirs)
    assert (None if found is None else found[1]) == how
    assert found is None or 0.7 < found[0] <= 1


def test_marks_that_are_letters_stay() -> None:
    assert plain("Ọyọ́-Ìtẹ̀síwájú") == "oyoitesiwaju"
    assert plain("हिन्दी") == "हिन्दी"


TAGS = ("O", "B-PER", "I-PER", "B-PER", "O", "I-LOC", "B-ORG", "I-PER")


def test_spans_and_tags() -> None:
    spans = spans_of(TAGS)
    assert spans == [Span(1, 3, "PER"), Span(3, 4, "PER"), Span(5, 6, "LOC"), Span(6, 7, "ORG"), Span(7, 8, "PER")]
    assert spans_of(tags_of(spans, 8)) == spans


ENGLISH = ["Wangari", "Maathai", "visited", "the", "University", "of", "Nairobi", "on", "Monday", "with", "Otieno"]
SWAHILI = ["Jumatatu", "Wangari", "Maathai", "alitembelea", "Chuo", "Kikuu", "cha", "Nairobi", "pamoja", "na", "Otieno"]
PERSON, SCHOOL, DAY = Span(0, 2, "PER"), Span(4, 7, "ORG"), Span(8, 9, "DATE")
LINKS = {4: (4, 0.7), 6: (7, 0.95), 8: (0, 0.6), 2: (3, 0.8), 9: (8, 0.5)}


def test_a_name_is_found_by_its_letters() -> None:
    assert copies_of(PERSON, ENGLISH, SWAHILI) == [Placed(Span(1, 3, "PER"), 1.0, "same")]
    assert copies_of(DAY, ENGLISH, SWAHILI) == []


def test_every_copy_is_found_and_the_shortest_span_of_each() -> None:
    theirs = ["Otieno", ",", "otieno", "na", "OTIENO", "wa", "kwaOtieno"]
    found = copies_of(Span(10, 11, "PER"), ENGLISH, theirs)
    assert [placed.span.start for placed in found] == [0, 2, 4]
    assert {len(placed.span) for placed in found} == {1}


def test_a_name_of_other_words_is_found_by_links() -> None:
    school = linked_place(SCHOOL, ENGLISH, SWAHILI, LINKS)
    assert school is not None
    assert (school.span, school.how) == (Span(4, 8, "ORG"), "states")
    assert 0.7 < school.confidence < 0.95
    day = linked_place(DAY, ENGLISH, SWAHILI, LINKS)
    assert day is not None
    assert day.span == Span(0, 1, "DATE")


def test_links_that_are_torn_apart_or_foreign_give_no_place() -> None:
    assert linked_place(SCHOOL, ENGLISH, SWAHILI, {4: (0, 0.9), 6: (7, 0.9)}) is None
    assert linked_place(SCHOOL, ENGLISH, SWAHILI, {**LINKS, 2: (5, 0.8)}) is None
    assert linked_place(SCHOOL, ENGLISH, SWAHILI, {}) is None
    # A name in capitals is no word in small letters.
    assert linked_place(DAY, ENGLISH, SWAHILI, {8: (3, 0.9)}) is None


def test_two_entities_never_share_a_word() -> None:
    one, other = Placed(Span(0, 2, "PER"), 1.0, "same"), Placed(Span(1, 3, "LOC"), 0.9, "states")
    assert without_overlaps([[one], [other]]) is None
    assert without_overlaps([[one], [one]]) == [one]


def test_names_that_were_missed_are_seen() -> None:
    assert list(untold_copies(ENGLISH, SWAHILI, [SCHOOL, DAY])) == ["Maathai", "Otieno"]
    assert list(untold_copies(ENGLISH, SWAHILI, [PERSON, SCHOOL, DAY, Span(10, 11, "PER")])) == []
