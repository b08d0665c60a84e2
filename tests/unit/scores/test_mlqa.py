import pytest

from adaptkit.errors import UnknownLanguage
from adaptkit.scores import AnswerF1, ExactMatch, mlqa_normaliser
from tests.scoring import score_of


@pytest.mark.parametrize(
    ("language", "predicted", "gold", "exact", "f1"),
    [
        ("en", "The old mill", "old mill", 100, 100),
        ("en", "the “old” mill", "an old barn", 0, 50),
        ("es", "la vieja torre", "vieja torre", 100, 100),
        ("es", "¿una torre vieja?", "las torres viejas", 0, 0),
        ("de", "Den alten Turm", "der alte Turm", 0, 50),
        ("de", "Das Haus", "eines Haus", 100, 100),
        ("ar", "البيت الكبير", "بيت كبير", 100, 100),
        ("ar", "البيت؟", "بيت صغير", 0, 200 / 3),
        ("hi", "लाल घर।", "लाल घर", 100, 100),
        ("hi", "पुराना लाल घर", "लाल घर", 0, 80),
        ("vi", "cái bàn gỗ", "bàn gỗ", 100, 100),
        ("vi", "những cái bàn", "bàn gỗ", 0, 200 / 3),
        ("zh", "山顶小屋", "小屋", 0, 200 / 3),
        ("zh", "《小屋》 2019年", "小屋2019年", 100, 100),
        ("zh", "2019年", "2018年", 0, 50),
    ],
)
def test_answers_are_compared_by_the_rules_of_their_language(
    language: str, predicted: str, gold: str, exact: float, f1: float
) -> None:
    normaliser = mlqa_normaliser(language)
    assert score_of(ExactMatch(normaliser), [predicted], [(gold,)]) == exact
    assert score_of(AnswerF1(normaliser), [predicted], [(gold,)]) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("language", "predicted", "gold", "squad", "mlqa"),
    [
        ("zh", "山顶小屋", "小屋", 0, 200 / 3),
        ("es", "el molino", "molino", 200 / 3, 100),
        ("hi", "लाल घर।", "लाल घर", 50, 100),
    ],
)
def test_plain_squad_scores_are_wrong_outside_english(
    language: str, predicted: str, gold: str, squad: float, mlqa: float
) -> None:
    assert score_of(AnswerF1(), [predicted], [(gold,)]) == pytest.approx(squad)
    assert score_of(AnswerF1(mlqa_normaliser(language)), [predicted], [(gold,)]) == pytest.approx(mlqa)


@pytest.mark.parametrize(
    ("language", "text", "tokens"),
    [
        ("ar", "سالم", ["س", "م"]),
        ("vi", "bàn của tôi", ["bàn", "tôi"]),
        ("zh", "㐀㐁人", ["㐀㐁", "人"]),
    ],
    ids=["Arabic article inside a word", "Vietnamese preposition", "rare Chinese characters"],
)
def test_quirks_of_the_published_scorer_are_kept(language: str, text: str, tokens: list[str]) -> None:
    assert mlqa_normaliser(language).tokens(text) == tokens


@pytest.mark.parametrize("language", ["zh-Hant", "zho_Hans", "Chinese", "zh-TW"])
def test_scripts_and_regions_share_the_rules_of_their_language(language: str) -> None:
    assert mlqa_normaliser(language) == mlqa_normaliser("zh")


def test_a_language_outside_mlqa_keeps_every_word() -> None:
    assert mlqa_normaliser("sw").tokens("The «la» der, 小屋") == ["the", "la", "der", "小屋"]


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UnknownLanguage):
        mlqa_normaliser("Klingonish")


def test_names_tell_the_schemes_apart() -> None:
    assert ExactMatch().name == "SQuAD exact match"
    assert AnswerF1(mlqa_normaliser("de")).name == AnswerF1(mlqa_normaliser("vi")).name == "MLQA F1"
