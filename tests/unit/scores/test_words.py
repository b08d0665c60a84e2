import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from adaptkit.errors import ConfigError
from adaptkit.scores import UNREAD, UNTAGGED, WordAccuracy, WordMacroF1
from tests.scoring import score_of

GOLD = [("NOUN", "VERB", "ADJ"), ("NOUN", "NOUN")]
FOUND = [("NOUN", "NOUN", "ADJ"), ("VERB", UNREAD)]


def test_words_are_counted_over_all_sentences() -> None:
    right, ours = ([tag for tags in several for tag in tags] for several in (GOLD, FOUND))
    assert score_of(WordAccuracy(), FOUND, GOLD) == 100 * accuracy_score(right, ours)
    labels = ("ADJ", "NOUN", "VERB")
    expected = f1_score(right, ours, labels=labels, average="macro", zero_division=0)
    assert score_of(WordMacroF1((*labels, "X")), FOUND, GOLD) == pytest.approx(100 * expected)
    assert np.array_equal(WordAccuracy().statistics(FOUND, GOLD), [[2, 3], [0, 2]])


def test_words_without_their_label_are_refused() -> None:
    with pytest.raises(ConfigError, match="1 predictions and 2 gold"):
        WordAccuracy().statistics([("NOUN",)], [("NOUN", "VERB")])
    with pytest.raises(ConfigError, match="'VERB' is not among"):
        WordMacroF1(("NOUN",)).statistics([("NOUN",)], [("VERB",)])


def test_words_without_a_gold_label_are_not_counted() -> None:
    gold = [("NOUN", UNTAGGED, "ADJ"), (UNTAGGED, UNTAGGED)]
    assert np.array_equal(WordAccuracy().statistics(FOUND, gold), [[2, 2], [0, 0]])
    counts = WordMacroF1(("ADJ", "NOUN", "VERB")).statistics(FOUND, gold)
    assert np.array_equal(counts, [[1, 1, 1, 1, 1, 1, 0, 0, 0], [0] * 9])
