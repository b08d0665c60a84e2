import numpy as np
import pytest
from numpy.typing import NDArray

from adaptkit.errors import ConfigError
from adaptkit.scores import Accuracy, MacroF1, Metric, paired_difference, paired_metric_difference
from tests.scoring import score_of

LABELS = ("a", "b", "c")
RANDOM = np.random.default_rng(0)
GOLD = RANDOM.choice(LABELS, 120, p=[0.6, 0.3, 0.1]).tolist()


def guesses(right: float, seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    return [name if random.random() < right else str(random.choice(LABELS)) for name in GOLD]


def by_seed(metric: Metric[str, str], right: float, seeds: range) -> NDArray[np.float64]:
    return np.stack([metric.statistics(guesses(right, seed), GOLD) for seed in seeds])


def test_a_mean_over_examples_gets_the_interval_that_it_has_without_a_metric() -> None:
    ours, theirs = by_seed(Accuracy(), 0.7, range(3)), by_seed(Accuracy(), 0.6, range(3, 5))
    found = paired_metric_difference(Accuracy(), ours, theirs)
    plain = paired_difference(ours[..., 0], theirs[..., 0])
    assert vars(found) == pytest.approx(vars(plain))


def test_the_mean_is_that_of_the_scores_of_all_seeds() -> None:
    metric = MacroF1(LABELS)
    found = paired_metric_difference(metric, by_seed(metric, 0.8, range(3)), by_seed(metric, 0.3, range(3, 5)))
    ours = [score_of(metric, guesses(0.8, seed), GOLD) for seed in range(3)]
    theirs = [score_of(metric, guesses(0.3, seed), GOLD) for seed in range(3, 5)]
    assert found.mean == pytest.approx(np.mean(ours) - np.mean(theirs))
    assert found.verdict == "helps"


def test_the_interval_is_that_of_a_plain_bootstrap() -> None:
    metric = MacroF1(LABELS)
    ours, theirs = by_seed(metric, 0.7, range(1))[0], by_seed(metric, 0.5, range(1, 2))[0]
    draws = np.random.default_rng(9).integers(len(GOLD), size=(4_000, len(GOLD)))
    gains = [float(metric.score(ours[draw].sum(axis=0)) - metric.score(theirs[draw].sum(axis=0))) for draw in draws]
    found = paired_metric_difference(metric, ours, theirs)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(gains, [0.025, 0.975])), abs=1)


def test_pairing_makes_the_interval_narrow() -> None:
    better = guesses(0.5, 0)
    worse = [*better[:-10], *["c"] * 10]
    statistics = [Accuracy().statistics(predicted, GOLD) for predicted in (better, worse)]
    paired = paired_metric_difference(Accuracy(), *statistics)
    unpaired = paired_metric_difference(Accuracy(), statistics[0], RANDOM.permutation(statistics[1]))
    assert paired.high - paired.low < (unpaired.high - unpaired.low) / 2


def test_repeating_a_seed_is_no_evidence() -> None:
    once = np.stack([RANDOM.random(50), np.ones(50)], axis=-1)
    found = paired_metric_difference(Accuracy(), np.tile(once, (3, 1, 1)), once)
    assert (found.mean, found.low, found.high, found.verdict) == (0, 0, 0, "no evidence")


def test_the_interval_is_the_same_every_time_and_wider_for_more_confidence() -> None:
    metric = MacroF1(LABELS)
    ours, theirs = by_seed(metric, 0.7, range(2)), by_seed(metric, 0.6, range(2, 4))
    found = paired_metric_difference(metric, ours, theirs)
    assert paired_metric_difference(metric, ours, theirs) == found
    sure = paired_metric_difference(metric, ours, theirs, confidence=0.99)
    assert sure.low < found.low < found.high < sure.high


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [((3, 2), (4, 2)), ((3, 2), (3, 6)), ((0, 2), (0, 2)), ((1, 3, 2), (0, 3, 2))],
    ids=["other examples", "other statistics", "no examples", "no seeds"],
)
def test_other_examples_cannot_be_paired(ours: tuple[int, ...], theirs: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="the same examples on both sides"):
        paired_metric_difference(Accuracy(), np.ones(ours), np.ones(theirs))


def test_scores_are_no_statistics() -> None:
    with pytest.raises(ConfigError, match=r"shape \(5,\) are not those of a metric"):
        paired_metric_difference(Accuracy(), np.ones(5), np.ones(5))


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_confidence_is_a_share(confidence: float) -> None:
    statistics = Accuracy().statistics(GOLD, GOLD)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        paired_metric_difference(Accuracy(), statistics, statistics, confidence=confidence)
