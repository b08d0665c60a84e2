from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaptkit.composition import AdapterId, Average, Ensemble, Fuse, Part, Stack, parse_composition, resolved
from adaptkit.config import KINDS
from adaptkit.errors import ConfigError

NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True)
IDS = st.builds(AdapterId, st.sampled_from(KINDS), NAMES).map(str)
WEIGHTS = st.floats(allow_nan=False, allow_infinity=False)


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
    again = Stack.parse(str(stack), any_order=True)
    assert again == stack
    assert hash(again) == hash(stack)


@st.composite
def nested(draw: st.DrawFn) -> Stack:
    """Any composition that text can say: no stack right in a stack, and none of one part in an average."""
    names = draw(st.lists(IDS | NAMES, unique=True, max_size=9))

    def some(ids: list[str], levels: int) -> list[Part]:
        """Parts that name each of the ids once."""
        parts: list[Part] = []
        while ids:
            count = draw(st.integers(1, len(ids)))
            taken, ids = ids[:count], ids[count:]
            how = draw(st.sampled_from(["ids", "fuse", "average"])) if levels else "ids"
            if how == "fuse" and count > 1:
                parts.append(Fuse(*taken))
            elif how == "average":
                parts.append(averaged(taken, levels - 1))
            else:
                parts += taken
        return parts

    def averaged(ids: list[str], levels: int) -> Average:
        parts = some(ids, levels)
        if len(parts) > 2 and draw(st.booleans()):
            parts = [Stack(*parts[:2], any_order=True), *parts[2:]]
        weights = draw(st.lists(WEIGHTS, min_size=len(parts), max_size=len(parts)))
        return Average(*parts, weights=tuple(weights))

    return Stack(*some(names, 3), any_order=True)


@settings(deadline=None, max_examples=60)
@given(nested())
def test_any_nested_composition_reads_back_what_it_prints(stack: Stack) -> None:
    again = Stack.parse(str(stack), any_order=True)
    assert again == stack
    assert str(again) == str(stack)
    assert again.ids == stack.ids


@settings(deadline=None, max_examples=60)
@given(st.lists(nested().filter(lambda stack: stack.parts), min_size=2, max_size=4, unique=True))
def test_any_ensemble_reads_back_what_it_prints(stacks: list[Stack]) -> None:
    ensemble = Ensemble(*stacks)
    assert parse_composition(str(ensemble), any_order=True) == ensemble
    assert Ensemble.parse(str(ensemble).replace(" ", ""), any_order=True) == ensemble
    assert ensemble == Ensemble(*stacks[:-1], Stack(*stacks[-1].parts, any_order=True))


def test_an_ensemble_is_of_stacks_and_of_their_texts() -> None:
    ensemble = Ensemble("topics", Stack("language/sw", "task/topics"), Average("a", "b"), "average(a: 1) > c")
    assert str(ensemble) == "topics | language/sw > task/topics | average(a: 0.5, b: 0.5) | average(a: 1.0) > c"
    assert ensemble.stacks[2:] == (Stack(Average("a", "b")), Stack(Average({"a": 1.0}), "c"))
    assert parse_composition("topics") == Stack("topics")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Ensemble(), "at least 2 stacks"),
        (lambda: Ensemble("topics"), "at least 2 stacks.*found 'topics'"),
        (lambda: Ensemble.parse("topics"), "at least 2 stacks"),
        (lambda: Ensemble("topics", Stack("topics")), "has topics twice"),
        (lambda: Ensemble("", "topics"), "has no adapter"),
        (lambda: Ensemble(["a", "b"], "c"), "found list"),  # type: ignore[arg-type]
        (lambda: Ensemble("a | b", "c"), "'a | b' is an ensemble"),
        (lambda: Ensemble("task/nli > language/sw", "topics"), "out of order"),
        (lambda: Stack.parse("a | b > c"), "'a | b > c' is an ensemble"),
        (lambda: Stack(Ensemble("a", "b"), "c"), "found Ensemble. An ensemble stands alone"),  # type: ignore[arg-type]
        (lambda: Average(Ensemble("a", "b"), "c"), "found Ensemble. An ensemble stands alone"),  # type: ignore[arg-type]
        (lambda: Fuse(Ensemble("a", "b"), "c"), "found Ensemble. An ensemble stands alone"),  # type: ignore[arg-type]
        (lambda: parse_composition("average(a | b: 0.5, c: 0.5) > d"), "an ensemble stands alone"),
        (lambda: parse_composition("fuse(a | b, c)"), "an ensemble stands alone"),
        (lambda: parse_composition("a |"), "expected a name, found the end"),
        (lambda: parse_composition("a | | b"), r"expected a name, found '\|'"),
        (lambda: parse_composition("| a"), r"expected a name, found '\|'"),
    ],
)
def test_what_is_no_ensemble_and_where_one_cannot_stand(make: Callable[[], object], why: str) -> None:
    with pytest.raises(ConfigError, match=why.replace("a | b", r"a \| b")):
        make()


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


def test_a_stack_read_from_text_is_checked_too() -> None:
    with pytest.raises(ConfigError, match="out of order"):
        Stack.parse("task/nli > language/sw")
    assert Stack.parse("task/nli > language/sw", any_order=True).ids == ("task/nli", "language/sw")


NESTED: dict[str, Part] = {
    "average(language/sw: 0.5, language/rw: 0.5) > task/nli": Stack(Average("language/sw", "language/rw"), "task/nli"),
    "average(language/sw: 1.5, language/rw: -0.5)": Stack(Average({"language/sw": 1.5, "language/rw": -0.5})),
    "average(language/sw > domain/news: 0.25, language/rw: 0.75)": Stack(
        Average(Stack("language/sw", "domain/news"), "language/rw", weights=(0.25, 0.75))
    ),
    "fuse(language/sw, language/en) > task/nli": Stack(Fuse("language/sw", "language/en"), "task/nli"),
    "average(fuse(sw, en): 1.0)": Stack(Average(Fuse("sw", "en"))),
}


@pytest.mark.parametrize("text", NESTED)
def test_nested_compositions_print_and_read_back(text: str) -> None:
    assert str(NESTED[text]) == text
    assert Stack.parse(text) == NESTED[text]
    assert Stack.parse(text.replace(" ", "")) == NESTED[text]


def test_a_third_survives_printing() -> None:
    stack = Stack(Average("language/sw", "language/rw", "language/ha"))
    assert Stack.parse(str(stack)) == stack


@pytest.mark.parametrize(
    "text",
    [
        "language/sw >",
        "> language/sw",
        "language/sw task/nli",
        "average(language/sw)",
        "average(language/sw: heavy)",
        "average(language/sw: nan)",
        "average()",
        "fuse(language/sw)",
        "fuse(language/sw, language/sw)",
        "sum(language/sw, language/rw)",
        "language/sw > (task/nli",
        "language/sw; task/nli",
        "average(dialect/sw: 1.0)",
    ],
)
def test_what_is_no_composition_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        Stack.parse(text)


def test_kinds_are_checked_across_nested_parts() -> None:
    with pytest.raises(ConfigError, match="out of order"):
        Stack(Average("domain/news", "domain/law"), "language/sw")
    with pytest.raises(ConfigError, match="twice"):
        Stack(Average("language/sw", "language/rw"), "language/rw")


def test_weights_go_with_parts() -> None:
    with pytest.raises(ConfigError, match="one finite weight"):
        Average("language/sw", "language/rw", weights=(1.0,))
    with pytest.raises(ConfigError, match="not both"):
        Average({"language/sw": 1.0}, "language/rw")


def test_resolving_checks_the_order_that_bare_names_hid() -> None:
    whole = {"sw": "language/sw", "nli": "task/nli"}

    def name(text: str) -> str:
        return whole[text]

    def fusion(fuse: Fuse) -> str:
        return "language/" + "-".join(part.partition("/")[2] for part in fuse.parts)

    assert resolved(Stack("sw", "nli"), name, fusion) == Stack("language/sw", "task/nli")
    assert resolved(Stack(Fuse("sw", "nli")), name, fusion) == Stack("language/sw-nli")
    with pytest.raises(ConfigError, match="out of order"):
        resolved(Stack("nli", "sw"), name, fusion)
    assert resolved(Stack("nli", "sw", any_order=True), name, fusion) == Stack(
        "task/nli", "language/sw", any_order=True
    )
