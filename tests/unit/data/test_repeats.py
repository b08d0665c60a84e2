"""Held-out sentences that are trained on, too."""

from adaptkit.data.repeats import repeated_share, repeats_in_words


def test_digits_case_and_punctuation_make_no_other_sentence() -> None:
    texts = ["Maji ni uhai.", "maji ni uhai, 7", "Mvua inanyesha.", "Ng'ombe analala.", "MVUA inanyesha!"]
    assert repeated_share(texts, [1, 3]) == 0.5
    assert repeated_share(texts, [0, 1]) == 0.0
    assert repeated_share(texts, []) == 0.0


def test_another_vowel_makes_another_sentence() -> None:
    assert repeated_share(["नदी का पानी", "नदी की पानी"], [0]) == 0.0
    assert repeated_share(["नदी का पानी", "नदी, का पानी!"], [0]) == 1.0


def test_few_are_not_told() -> None:
    assert repeats_in_words(0.05) is None
    assert str(repeats_in_words(0.4)).startswith("40% of the held-out sentences are also trained on")
