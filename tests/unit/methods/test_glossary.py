"""Glossaries: what may be one, and the gloss of a text."""

from dataclasses import replace
from typing import Any

import pytest

from adaptkit.config import MAX_GLOSSARY
from adaptkit.errors import ConfigError
from adaptkit.methods import GlossaryConfig, Reading, by_reading
from tests.glossaries import GLOSSES
from tests.pieces import PIECES

MANY = tuple(map(str, range(MAX_GLOSSARY + 1)))
WRONG: dict[str, dict[str, Any]] = {
    "at most 65,536 words, found 65,537": {"words": MANY, "translations": MANY},
    "2 words and 1 translations": {"words": ("a", "b"), "translations": ("c",)},
    "there twice": {"words": ("a", "a"), "translations": ("b", "c")},
    "twice; capital letters make no other word": {"words": ("Bolo", "bolo"), "translations": ("b", "c")},
    "has '12', in which there is no letter": {"words": ("bolo", "12"), "translations": ("b", "c")},
    "has ''": {"words": ("a",), "translations": ("",)},
    "has 'bbb": {"words": ("b" * 129,), "translations": ("c",)},
    "has 'a a a a a a a a a'; what is looked up has at most 8": {"words": ("a " * 8 + "a",), "translations": ("b",)},
    r"has 'b\\nc'": {"words": ("a",), "translations": ("b\nc",)},
    r"has 'b\\u202ec'": {"words": ("a",), "translations": ("b\u202ec",)},
    "at most 2,097,152 bytes": {
        "words": tuple(f"{number:06}{'ⴰ' * 100}" for number in range(8000)),
        "translations": tuple(map(str, range(8000))),
    },
}


@pytest.mark.parametrize("message", WRONG)
def test_glossaries_that_cannot_be(message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        GlossaryConfig(**WRONG[message])


def test_the_gloss_is_the_text_with_what_is_known_translated() -> None:
    assert GLOSSES.gloss("Goli, kasi na bolo.") == "Goat, water na school."
    assert GLOSSES.gloss("nothing of it") == ""
    assert GLOSSES.gloss("") == ""
    assert GlossaryConfig().gloss("goli") == ""


def test_longer_words_stand_for_what_they_begin_with_where_that_is_asked() -> None:
    assert GLOSSES.gloss("goliren") == ""
    assert replace(GLOSSES, stems="begin").gloss("goliren kasi") == "goat water"


def test_what_is_looked_up_may_have_several_words() -> None:
    assert GlossaryConfig(words=("a b c d e f g h",), translations=("all",)).gloss("a b c d e f g h i") == "all i"


def test_its_identity_is_of_all_that_it_says() -> None:
    others = [
        replace(GLOSSES, words=("bolo", "goli", "kasu")),
        replace(GLOSSES, translations=("school", "goat", "rain")),
        replace(GLOSSES, stems="begin"),
    ]
    assert len({GLOSSES.sha256, *(other.sha256 for other in others)}) == 4
    assert hash(GLOSSES) == hash(replace(GLOSSES))
    assert repr(GLOSSES).startswith("<3 words with translations, ")


def test_texts_are_grouped_by_what_they_are_read_by() -> None:
    plain, pieces, glossed = Reading(), Reading(PIECES), Reading(glossary=GLOSSES)
    same = Reading(glossary=replace(GLOSSES))
    assert by_reading(enumerate([plain, pieces, glossed, same, plain])) == {plain: [0, 4], pieces: [1], glossed: [2, 3]}
    assert list(by_reading([(7, pieces), (3, plain)])) == [pieces, plain]
    assert by_reading([]) == {}


def test_what_a_text_is_read_by_in_words() -> None:
    both = Reading(PIECES, GLOSSES)
    assert str(both) == "16 pieces and a glossary of 3 words"
    assert both.without(Reading(PIECES)) == Reading(glossary=GLOSSES)
    assert both.without(Reading()) == both
    assert str(Reading()) == "nothing more"
    assert str(Reading(prefix="")) == "the prefix ''"


def test_a_prefix_changes_no_words_and_stays_with_its_head() -> None:
    behind = Reading(PIECES, GLOSSES, "topic: ")
    assert [each.changes_words for each in (Reading(), Reading(prefix=""), Reading(PIECES), behind)] == [0, 0, 1, 1]
    assert behind.without(Reading(PIECES, GLOSSES)) == Reading(prefix="topic: ")
