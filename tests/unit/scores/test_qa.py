import pytest

from adaptkit.scores import AnswerF1, ExactMatch
from tests.scoring import score_of


@pytest.mark.parametrize(
    ("predicted", "gold", "exact", "f1"),
    [
        ("The red  barn!", "red barn", 100, 100),
        ("an old red barn", "the red barn", 0, 80),
        ("blue barn", "red house", 0, 0),
        ("2,000", "2000", 100, 100),
        ("no, no, no", "no no", 0, 80),
        ("theatre", "atre", 0, 0),
        ("", "barn", 0, 0),
    ],
)
def test_answers_are_compared_by_their_words(predicted: str, gold: str, exact: float, f1: float) -> None:
    assert score_of(ExactMatch(), [predicted], [(gold,)]) == exact
    assert score_of(AnswerF1(), [predicted], [(gold,)]) == pytest.approx(f1)


def test_the_best_gold_answer_counts() -> None:
    gold = [("nine", "nine red barns", "barns")]
    assert score_of(ExactMatch(), ["barns"], gold) == 100
    assert score_of(AnswerF1(), ["red barns"], gold) == pytest.approx(80)


@pytest.mark.parametrize(("predicted", "score"), [("", 100), (" the.", 100), ("barn", 0)])
def test_where_there_is_no_answer_none_is_right(predicted: str, score: float) -> None:
    assert score_of(ExactMatch(), [predicted], [()]) == score
    assert score_of(AnswerF1(), [predicted], [()]) == score


def test_a_gold_answer_without_words_is_matched_and_shares_none() -> None:
    assert score_of(ExactMatch(), ["a"], [("The",)]) == 100
    assert score_of(AnswerF1(), ["a"], [("The",)]) == 0


def test_questions_are_averaged() -> None:
    predicted, gold = ["red barn", "blue", ""], [("barn",), ("blue",), ("green",)]
    assert score_of(ExactMatch(), predicted, gold) == pytest.approx(100 / 3)
    assert score_of(AnswerF1(), predicted, gold) == pytest.approx(100 * (2 / 3 + 1 + 0) / 3)
