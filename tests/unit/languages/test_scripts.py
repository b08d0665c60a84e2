import pytest

from adaptkit.languages import count_scripts, usual_scripts


def test_letters_shared_by_scripts_do_not_count() -> None:
    assert count_scripts("ʼya 々ー") == {"LATIN": 2, "CJK": 1, "KATAKANA": 1}


@pytest.mark.parametrize(
    ("tag", "scripts"),
    [
        ("ha", {"LATIN"}),
        ("dz", {"TIBETAN"}),
        ("am", {"ETHIOPIC"}),
        ("bn", {"BENGALI"}),
        ("ja", {"CJK", "HIRAGANA", "KATAKANA"}),
        ("sr-Latn", {"LATIN"}),
        ("azb", set()),
    ],
)
def test_usual_scripts(tag: str, scripts: set[str]) -> None:
    assert usual_scripts(tag) == scripts
