import numpy as np
import pytest
from sklearn.metrics import f1_score

from adaptkit.errors import ConfigError
from adaptkit.scores import Accuracy, MacroF1
from tests.scoring import score_of

LABELS = ("health", "politics", "sport", "travel")


def test_accuracy_is_the_share_of_right_labels() -> None:
    assert score_of(Accuracy(), ["a", "b", "b", "c"], ["a", "b", "c", "c"]) == 75


@pytest.mark.parametrize("occurring", [4, 3, 1])
def test_macro_f1_is_that_of_sklearn(occurring: int) -> None:
    random = np.random.default_rng(occurring)
    gold = random.choice(LABELS[:occurring], 60).tolist()
    predicted = [name if random.random() < 0.5 else LABELS[0] for name in gold]
    expected = f1_score(gold, predicted, average="macro", zero_division=0)
    assert score_of(MacroF1(LABELS), predicted, gold) == pytest.approx(100 * expected)


def test_a_label_that_is_predicted_and_nowhere_gold_counts_as_zero() -> None:
    predicted, gold = ["sport", "travel"], ["sport", "sport"]
    assert score_of(MacroF1(LABELS), predicted, gold) == pytest.approx(100 * (2 / 3 + 0) / 2)


def test_a_draw_leaves_out_labels_that_do_not_occur_in_it() -> None:
    metric = MacroF1(LABELS)
    statistics = metric.statistics(["sport", "travel", "sport"], ["sport", "travel", "health"])
    assert metric.score(statistics[[0, 0, 1]].sum(axis=0)) == 100
    assert metric.score(statistics[[0, 0, 2]].sum(axis=0)) == pytest.approx(100 * (4 / 5 + 0) / 2)


@pytest.mark.parametrize(
    ("predicted", "gold", "side"),
    [("sport", "news", "gold"), ("news", "sport", "predicted")],
    ids=["gold", "predicted"],
)
def test_an_unknown_label_is_named(predicted: str, gold: str, side: str) -> None:
    with pytest.raises(ConfigError, match=f"{side} label 'news'.*health, politics"):
        score_of(MacroF1(LABELS), [predicted], [gold])


@pytest.mark.parametrize("labels", [(), ("a", "a")], ids=["none", "twice"])
def test_labels_must_be_a_set(labels: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="each of them once"):
        MacroF1(labels)
