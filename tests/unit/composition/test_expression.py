import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptkit.composition import AdapterId, Stack
from adaptkit.config import KINDS
from adaptkit.errors import ConfigError

NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True)
IDS = st.builds(AdapterId, st.sampled_from(KINDS), NAMES).map(str)


@given(IDS)
def test_an_id_reads_back_what_it_prints(text: str) -> None:
    assert str(AdapterId.parse(text)) == text


@pytest.mark.parametrize("text", ["sw", "", "/", "language/", "/sw", "dialect/sw", "language/a b", "language/../x"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        AdapterId.parse(text)


@pytest.mark.parametrize("name", [".sw", "sw.", "-sw", "a/b", "a>b", "a\n", "x" * 65, "ñ"])
def test_names_that_a_file_or_an_expression_cannot_hold(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be used"):
        AdapterId("language", name)


def test_ids_sort_by_kind_and_name() -> None:
    ids = [AdapterId("task", "a"), AdapterId("language", "sw"), AdapterId("language", "ha")]
    assert [str(adapter) for adapter in sorted(ids)] == ["language/ha", "language/sw", "task/a"]


@given(st.lists(IDS, unique=True, max_size=4))
def test_a_stack_reads_back_what_it_prints(ids: list[str]) -> None:
    stack = Stack(*ids, any_order=True)
    assert Stack.parse(str(stack)) == stack
    assert hash(Stack.parse(str(stack))) == hash(stack)


def test_a_stack_prints_in_the_order_in_which_it_acts() -> None:
    stack = Stack("language/sw", "domain/biomedical", "task/nli")
    assert str(stack) == "language/sw > domain/biomedical > task/nli"
    assert Stack.parse("language/sw>domain/biomedical >task/nli") == stack


@pytest.mark.parametrize(
    "ids",
    [("task/nli", "language/sw"), ("domain/news", "language/sw"), ("task/nli", "sw", "domain/news")],
)
def test_kinds_out_of_order_are_refused_unless_asked_for(ids: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="out of order"):
        Stack(*ids)
    assert Stack(*ids, any_order=True).ids == ids


def test_two_languages_may_stand_side_by_side() -> None:
    assert Stack("language/sw", "language/rw", "task/nli").ids == ("language/sw", "language/rw", "task/nli")


def test_an_adapter_named_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="twice"):
        Stack("language/sw", "language/sw")


def test_bare_names_are_kept_for_the_model_to_resolve() -> None:
    assert Stack("sw", "nli").ids == ("sw", "nli")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="dialect"):
        Stack("dialect/sw")
