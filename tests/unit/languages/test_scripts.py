import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptkit.languages import UNSPACED, count_scripts, name_of_script, script_code, scripts_of, usual_scripts
from adaptkit.languages.scripts import script_of


def test_letters_shared_by_scripts_do_not_count() -> None:
    assert count_scripts("ʼya 々ー") == {"Latn": 2, "Hani": 1}
    assert count_scripts("ʻˈː 𝒜ℵµ 12 .,!") == {}


@pytest.mark.parametrize(
    ("letters", "script"),
    [
        ("K", "Latn"),  # KELVIN SIGN, and others whose names do not begin with their script
        ("Å", "Latn"),
        ("ⁱªᴀ", "Latn"),
        ("Ａｂ", "Latn"),
        ("Ω", "Grek"),
        ("ﾡﾢ", "Hang"),
        ("ｱｲ", "Kana"),
        ("字々", "Hani"),
        ("ᥐ", "Tale"),
        ("ᨠ", "Lana"),
        ("ꪀ", "Tavt"),
        ("ᦀ", "Talu"),
        ("𐌀", "Ital"),
        ("𐰀", "Orkh"),
        ("𐎠", "Xpeo"),
        ("𐀀", "Linb"),
        ("𐘀", "Lina"),
        ("ߊ", "Nkoo"),
        ("ꯀ", "Mtei"),
        ("ᐁ", "Cans"),
        ("𘠀", "Tang"),
    ],
)
def test_the_script_of_letters(letters: str, script: str) -> None:
    assert count_scripts(letters) == {script: len(letters)}


@given(st.text())
def test_no_letter_counts_twice(text: str) -> None:
    counts = count_scripts(text)
    assert sum(counts.values()) <= sum(map(str.isalpha, text))
    assert counts.keys().isdisjoint({"Zyyy", "Zinh", "Zzzz"})
    assert all(script in scripts_of(letter) for letter in text for script in count_scripts(letter))


def test_each_letter_is_looked_up_once() -> None:
    text = "".join(map(chr, range(0x4E00, 0x5E00))) * 20
    count_scripts(text)
    before = script_of.cache_info()
    count_scripts(text)
    after = script_of.cache_info()
    assert after.misses == before.misses
    assert after.hits - before.hits == 0x1000  # however often it stands there


@pytest.mark.parametrize(
    ("letter", "scripts"),
    [("a", {"Latn"}), ("ー", {"Hira", "Kana"}), ("ℵ", set()), ("1", set()), ("〆", {"Hani"})],
)
def test_scripts_that_use_a_letter(letter: str, scripts: set[str]) -> None:
    assert scripts_of(letter) == scripts


def test_the_apostrophe_letter_of_hausa_is_used_in_latin() -> None:
    assert "Latn" in scripts_of("ʼ")


@pytest.mark.parametrize(
    ("tag", "scripts"),
    [
        ("ha", {"Latn"}),
        ("dz", {"Tibt"}),
        ("am", {"Ethi"}),
        ("bn", {"Beng"}),
        ("ja", {"Hani", "Hira", "Kana"}),
        ("ko", {"Hani", "Hang"}),
        ("zh", {"Hani"}),
        ("zh-Hant", {"Hani"}),
        ("ur-Aran", {"Arab"}),
        ("nqo", {"Nkoo"}),
        ("sr-Latn", {"Latn"}),
        ("azb", set()),
    ],
)
def test_usual_scripts(tag: str, scripts: set[str]) -> None:
    assert usual_scripts(tag) == scripts


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("ja", "こんにちは世界カ"),
        ("ko", "안녕하세요"),
        ("zh-Hant", "繁體字"),
        ("ur", "اردو"),
        ("th", "ภาษา"),
        ("iu", "ᐃᓄᒃ"),
    ],
)
def test_a_text_is_in_the_usual_scripts_of_its_language(tag: str, text: str) -> None:
    assert count_scripts(text).keys() <= usual_scripts(tag)


def test_scripts_have_names() -> None:
    assert [name_of_script(script) for script in sorted(UNSPACED)] == [
        "Han",
        "Hiragana",
        "Katakana",
        "Khmer",
        "Lao",
        "Myanmar",
        "Thai",
        "Tibetan",
    ]
    assert script_code("wal-Latn") == "Latn"
