"""Which side of pairs is the sentence, and what shows that they are swapped."""

import gzip
from itertools import islice
from pathlib import Path

import pytest

from adaptkit import sample_pairs
from adaptkit.data.direction import Direction, direction_of
from adaptkit.data.sentence import Sentence

AMHARIC = [("The market opens early on Monday.", "ገበያው ሰኞ በማለዳ ይከፈታል።"), ("Water is life.", "ውሃ ሕይወት ነው።")]
Pairs = list[tuple[str, str]]


def swapped(pairs: Pairs) -> Pairs:
    return [(second, first) for first, second in pairs]


def problem(pairs: Pairs, language: str, source: str | None) -> str | None:
    return Direction(tuple(pairs), language, source).problem()


def test_it_is_sure_by_scripts_or_words_of_one_of_the_two_languages_alone() -> None:
    pairs = swapped(list(sample_pairs("sw"))[:60])
    assert Direction(tuple(swapped(AMHARIC)), "am", likely="en").is_surely_swapped
    assert Direction(tuple(pairs), "sw").is_surely_swapped
    assert Direction(tuple(pairs), "bm", likely="en").is_surely_swapped
    # No words of Bambara are known, and English is nobody's claim: a creole would look so too.
    unclaimed = Direction(tuple(pairs), "bm")
    assert "looks like English" in str(unclaimed.reason())
    assert not unclaimed.is_surely_swapped
    by_known = Direction((("mbuzi", "goat"),) * 5, "sw", known={"goat"})
    assert "in the labelled examples" in str(by_known.reason())
    assert not by_known.is_surely_swapped


UZBEK = [("The market opens early on Monday.", "Бозор душанба куни эрта очилади."), ("Water is life.", "Сув — ҳаёт.")]
SERBIAN = [("Вода — это жизнь на этой земле.", "Voda je život na ovoj zemlji i za sve ljude u selu.")] * 8


@pytest.mark.parametrize(
    ("pairs", "language", "source", "likely"),
    [
        (UZBEK, "uz", "en", None),
        (SERBIAN, "sr", "ru", None),
        (SERBIAN, "sr", None, "en"),
    ],
)
def test_a_language_in_a_script_that_it_is_rarely_written_in_is_not_surely_swapped(
    pairs: Pairs, language: str, source: str | None, likely: str | None
) -> None:
    direction = Direction(tuple(pairs), language, source, likely=likely)
    assert not direction.is_surely_swapped
    assert f"If the order is right, give the script with the language: {language}-" in str(direction.problem())


def test_a_creole_beside_another_language_than_the_likely_one_is_not_surely_swapped() -> None:
    like_english = tuple(swapped(list(sample_pairs("sw"))[:60]))
    unsure = Direction(like_english, "pcm", likely="en")
    assert "looks like English" in str(unsure.reason())
    assert not unsure.is_surely_swapped
    assert Direction(like_english, "pcm", "en").is_surely_swapped


@pytest.mark.parametrize("source", ["en", None], ids=["stated", "not stated"])
@pytest.mark.parametrize("language", ["sw", "ha", "yo"])
def test_swapped_pairs_are_told_and_others_are_not(language: str, source: str | None) -> None:
    pairs = list(sample_pairs(language))[:60]
    assert problem(pairs, language, source) is None
    said = problem(swapped(pairs), language, source)
    assert said is not None
    # Which language is there where no source is stated is not sure; that the other side is in Swahili is.
    looks = "translations looks like Swahili" if (language, source) == ("sw", None) else "looks like English"
    assert f"{looks}, and the other side does not" in said


def test_scripts_tell_it_too() -> None:
    assert problem(AMHARIC, "am", "en") is None
    said = problem(swapped(AMHARIC), "am", None)
    assert said is not None
    assert "the side read as Amharic is in Latin script, and the other side in Ethiopic" in said


def test_nothing_is_said_without_evidence() -> None:
    unknown = [("Kpa afa 7.", "Zu lo 7."), ("Ma nde ko.", "Tolo bi.")] * 30
    assert problem(unknown, "bm", None) is None
    assert problem(swapped(AMHARIC), "xx-Latn", None) is None
    few = [("Mbuzi wa kaka ni wangu.", "The goat of the brother is mine.")]
    assert problem(few, "sw", "en") is None


def test_relatives_are_not_taken_for_each_other() -> None:
    galician = "a casa de Pedro e a de Ana son as que se ven por detrás do monte"
    pairs = [("the house of Peter and that of Ann are what is seen", galician)] * 20
    assert problem(pairs, "gl", None) is None


def test_a_pair_is_shown() -> None:
    rows = [Sentence("Maji ni uhai.", "Water is life."), Sentence("Habari", "News")]
    assert str(direction_of(rows, "sw", "en")) == (
        "“Maji ni uhai.” is read as Swahili, and “Water is life.” as its translation"
    )
    assert direction_of([Sentence("Habari")], "sw") is None


@pytest.mark.parametrize("language", ["amh", "bam", "hau", "kin", "quy", "swh", "yor", "urd"])
def test_real_text_is_told_both_ways(language: str, data_folder: Path) -> None:
    names = {path.name.partition("_")[0]: path for path in (data_folder / "flores-retrieval").iterdir()}
    sides = []
    for name in ("eng", language):
        with gzip.open(names[name], "rt", encoding="utf-8") as lines:
            sides.append([line.strip() for line in islice(lines, 100)])
    pairs = list(zip(*sides, strict=True))
    assert problem(pairs, language, "en") is None
    assert problem(swapped(pairs), language, "en") is not None
