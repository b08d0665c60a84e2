import pytest

from adaptkit.languages import canonical_tag, nearest_relative, shared_branches


@pytest.mark.parametrize(
    ("language", "others", "nearest"),
    [
        ("sw", {"rw", "yo", "en"}, "rw"),
        ("sw", {"yo", "en"}, "yo"),
        ("ur", {"hi", "ar", "fa"}, "hi"),
        ("quy", {"es", "qu"}, "qu"),
        ("sw", {"sw", "zu"}, "zu"),
        ("sw", {"fi"}, None),
        ("sw", set(), None),
        ("tlh", {"en"}, None),
    ],
)
def test_the_nearest_relative(language: str, others: set[str], nearest: str | None) -> None:
    assert nearest_relative(language, others) == nearest


def test_kinship_is_mutual_and_closest_with_oneself() -> None:
    from adaptkit.languages.families import _FAMILIES

    for one in _FAMILIES:
        assert canonical_tag(one) == one or one in {"tl"}
        for other in _FAMILIES:
            shared, own = shared_branches(one, other), shared_branches(one, one)
            assert shared == shared_branches(other, one) == own[: len(shared)]
