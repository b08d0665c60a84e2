import numpy as np
import pytest

from adaptkit.errors import ConfigError
from adaptkit.scores import PearsonCorrelation, paired_metric_difference
from tests.scoring import score_of

RANDOM = np.random.default_rng(0)
GOLD = RANDOM.random(60)
GOOD, POOR = GOLD + 0.1 * RANDOM.random(60), GOLD + 3 * RANDOM.random(60)


@pytest.mark.parametrize("predicted", [GOOD, POOR, -GOLD, 0.02 * GOLD + 0.9])
def test_it_is_the_textbooks(predicted: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> None:
    found = score_of(PearsonCorrelation(), predicted.tolist(), GOLD.tolist())
    assert found == pytest.approx(100 * np.corrcoef(predicted, GOLD)[0, 1], abs=1e-3)


def test_the_same_answer_to_everything_goes_with_nothing() -> None:
    assert score_of(PearsonCorrelation(), [0.3] * 60, GOLD.tolist()) == 0
    assert score_of(PearsonCorrelation(), GOLD.tolist(), [0.3] * 60) == 0
    assert score_of(PearsonCorrelation(), [0.5], [0.1]) == 0


def test_draws_are_scored_at_once_and_a_better_one_is_found_better() -> None:
    metric = PearsonCorrelation()
    good, poor = (metric.statistics(each.tolist(), GOLD.tolist()) for each in (GOOD, POOR))
    draws = RANDOM.integers(60, size=(5, 60))
    expected = [score_of(metric, GOOD[draw].tolist(), GOLD[draw].tolist()) for draw in draws]
    assert metric.score(good[draws].sum(axis=1)).tolist() == pytest.approx(expected)
    assert paired_metric_difference(metric, good, poor).verdict == "helps"


def test_every_gold_score_needs_its_prediction() -> None:
    with pytest.raises(ConfigError, match="1 predictions and 2 gold"):
        score_of(PearsonCorrelation(), [0.1], [0.1, 0.2])
