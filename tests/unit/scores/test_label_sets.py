import numpy as np
import pytest
from sklearn.metrics import f1_score

from adaptkit.errors import ConfigError
from adaptkit.scores import LabelSetF1
from tests.scoring import score_of

LABELS = ("health", "politics", "sport", "travel")


@pytest.mark.parametrize("occurring", [4, 3, 1])
@pytest.mark.parametrize("average", ["micro", "macro"])
def test_it_is_that_of_sklearn(average: str, occurring: int) -> None:
    random = np.random.default_rng(occurring)
    gold, predicted = (random.random((60, 4)) < 0.4 for _ in range(2))
    gold[:, occurring:] = predicted[:, occurring:] = False
    expected = f1_score(gold, predicted, labels=range(occurring), average=average, zero_division=0)
    sets = [[tuple(np.array(LABELS)[row].tolist()) for row in side] for side in (predicted, gold)]
    metric = LabelSetF1(LABELS, "micro" if average == "micro" else "macro")
    assert metric.name == f"{average} F1"
    assert score_of(metric, *sets) == pytest.approx(100 * expected)


def test_no_labels_anywhere_are_no_score() -> None:
    assert score_of(LabelSetF1(LABELS, "micro"), [()], [()]) == 0
    assert score_of(LabelSetF1(LABELS, "macro"), [()], [()]) == 0


def test_draws_are_scored_at_once() -> None:
    metric = LabelSetF1(LABELS, "macro")
    statistics = metric.statistics([("sport", "travel"), (), ("health",)], [("sport",), ("health",), ("health",)])
    draws = statistics[[[0, 0], [2, 2], [1, 2]]].sum(axis=1)
    assert metric.score(draws).tolist() == pytest.approx([50, 100, 200 / 3])


def test_an_unknown_label_is_named() -> None:
    with pytest.raises(ConfigError, match=r"gold label 'news'.*health, politics"):
        score_of(LabelSetF1(LABELS, "micro"), [()], [("sport", "news")])


@pytest.mark.parametrize("labels", [(), ("a", "a")], ids=["none", "twice"])
def test_labels_must_be_a_set(labels: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="each of them once"):
        LabelSetF1(labels, "micro")
