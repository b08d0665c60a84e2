import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaptkit.data.letters import NORMAL_FORMS, NormalForm, check_form, normalized, respelled, whole_letters
from adaptkit.errors import ConfigError

DECOMPOSED = unicodedata.normalize("NFD", "Ọ̀yọ́ ńlá")
KOREAN = unicodedata.normalize("NFD", "한국")
# Bases, marks above and below, precomposed letters, vowel signs, jamo: what forms move around.
TEXTS = st.text(st.sampled_from("aoenKọẹńàǹ ,\u0300\u0301\u0303\u0323\u0331\u0904क\u093f\u094d\u1100\u1161\u11a8각"))


def widened(text: str, start: int, end: int) -> str:
    ((first, last),) = whole_letters(text, np.array([[start, end]], dtype=np.int32)).tolist()
    return text[first:last]


def test_a_letter_has_the_marks_that_follow() -> None:
    assert DECOMPOSED[:3] == "O\u0323\u0300"
    assert widened(DECOMPOSED, 0, 1) == DECOMPOSED[:3]
    assert widened(DECOMPOSED, 2, 4) == DECOMPOSED[:4]  # a mark and the y
    assert widened(DECOMPOSED, 3, 4) == "y"
    assert widened(KOREAN, 1, 2) == KOREAN[:3]


def test_letters_of_ascii_are_characters() -> None:
    places = np.array([[0, 2], [2, 3]], dtype=np.int32)
    assert whole_letters("a b", places).tolist() == places.tolist()


def test_no_place_stays_none() -> None:
    assert whole_letters(DECOMPOSED, np.zeros((0, 2), dtype=np.int32)).shape == (0, 2)


@settings(deadline=None)
@given(TEXTS, st.sampled_from(["NFC", "NFD"]))
def test_letter_by_letter_is_the_normal_form_of_the_whole(text: str, form: NormalForm) -> None:
    assert respelled(text, form).text == unicodedata.normalize(form, text)


@settings(deadline=None)
@given(TEXTS, st.sampled_from(NORMAL_FORMS), st.data())
def test_places_go_there_and_back(text: str, form: NormalForm, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    other = respelled(text, form)
    first, last = other.here(start, end)
    back = other.original(first, last)
    assert back is not None
    assert back[0] <= start <= end <= back[1]
    assert unicodedata.normalize(form, text[slice(*back)]) == unicodedata.normalize(form, other.text[first:last])


def test_a_piece_that_ends_inside_a_letter_is_no_piece_of_the_original() -> None:
    other = respelled("ọ́", "NFD")
    assert other.original(0, 3) == (0, 2)
    assert other.original(0, 1) is None
    assert other.original(0, 4) is None


def test_no_form_leaves_the_text() -> None:
    assert normalized(DECOMPOSED, None) == DECOMPOSED
    assert normalized(DECOMPOSED, "NFC") == "Ọ̀yọ́ ńlá"


def test_another_form_is_refused() -> None:
    for form in (*NORMAL_FORMS, None):
        check_form(form)
    with pytest.raises(ConfigError, match=r"NFC, NFD, NFKC, NFKD or None.*'nfc'"):
        check_form("nfc")
