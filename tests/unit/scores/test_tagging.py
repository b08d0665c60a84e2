import numpy as np
import pytest
from seqeval.metrics import f1_score  # type: ignore[import-untyped, unused-ignore]

from adaptkit.errors import ConfigError
from adaptkit.scores import EntityF1
from tests.scoring import score_of

TAGS = ["O", "B-PER", "I-PER", "B-DATE", "I-DATE"]


def random_tags(seed: int, sentences: int = 30) -> list[list[str]]:
    random = np.random.default_rng(seed)
    return [random.choice(TAGS, 1 + index % 9).tolist() for index in range(sentences)]


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_default_of_seqeval(seed: int) -> None:
    predicted, gold = random_tags(seed), random_tags(seed + 100)
    assert score_of(EntityF1(), predicted, gold) == pytest.approx(100 * f1_score(gold, predicted))


def test_a_sentence_counts_correct_predicted_and_gold_entities() -> None:
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "O"]]
    predicted = [["B-PER", "O", "B-ORG", "B-LOC"], ["B-PER", "O"]]
    assert EntityF1().statistics(predicted, gold).tolist() == [[1, 3, 2], [0, 1, 0]]
    assert score_of(EntityF1(), predicted, gold) == pytest.approx(100 * 2 / 6)


def test_an_entity_may_open_with_an_inside_tag() -> None:
    assert score_of(EntityF1(), [["O", "I-PER", "I-PER"]], [["O", "B-PER", "I-PER"]]) == 100


def test_an_entity_ends_with_its_sentence() -> None:
    assert score_of(EntityF1(), [["B-PER"], ["I-PER"]], [["B-PER"], ["B-PER"]]) == 100


def test_ignored_types_are_scored_as_if_they_were_no_entities() -> None:
    predicted, gold = random_tags(7), random_tags(8)
    hidden = [[["O" if "DATE" in tag else tag for tag in tags] for tags in side] for side in (gold, predicted)]
    found = score_of(EntityF1(ignore=frozenset({"DATE"})), predicted, gold)
    assert found == pytest.approx(100 * f1_score(*hidden))
    assert found != pytest.approx(score_of(EntityF1(), predicted, gold))


def test_nothing_found_where_nothing_is_scores_zero_as_in_seqeval() -> None:
    assert score_of(EntityF1(), [["O"]], [["O"]]) == 0


def test_each_word_needs_both_tags() -> None:
    with pytest.raises(ConfigError, match="row 2 of the sentences has 1 predicted and 2 gold tags"):
        score_of(EntityF1(), [["O"], ["O"]], [["O"], ["O", "O"]])


@pytest.mark.parametrize("tag", ["PER", "", "B-", "E-PER"])
def test_tags_of_another_scheme_are_refused(tag: str) -> None:
    with pytest.raises(ConfigError, match=f"'{tag}' is no IOB2 tag"):
        score_of(EntityF1(), [["O"]], [[tag]])
