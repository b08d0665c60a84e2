import numpy as np
import pytest

from adaptkit.errors import ConfigError
from adaptkit.scores import Difference, paired_difference

RANDOM = np.random.default_rng(0)


def test_the_mean_is_in_points_and_inside_its_interval() -> None:
    ours, theirs = RANDOM.integers(0, 2, 200), RANDOM.integers(0, 2, 200)
    found = paired_difference(ours, theirs)
    assert found.mean == pytest.approx(100 * (ours.mean() - theirs.mean()))
    assert found.low <= found.mean <= found.high


def test_equal_systems_differ_by_nothing() -> None:
    scores = RANDOM.random(50)
    found = paired_difference(scores, scores)
    assert (found.mean, found.low, found.high, found.verdict) == (0.0, 0.0, 0.0, "no evidence")


@pytest.mark.parametrize(("gain", "verdict"), [(0.3, "helps"), (-0.3, "hurts"), (0.001, "no evidence")])
def test_verdicts(gain: float, verdict: str) -> None:
    without = np.full(200, 0.5)
    with_ = without + gain + 0.1 * np.random.default_rng(1).standard_normal(200)
    assert paired_difference(with_, without).verdict == verdict


def test_an_interval_that_touches_zero_is_no_evidence() -> None:
    assert Difference(mean=1.0, low=0.0, high=2.0, confidence=0.95).verdict == "no evidence"
    assert Difference(mean=-1.0, low=-2.0, high=0.0, confidence=0.95).verdict == "no evidence"


def test_pairing_makes_the_interval_narrow() -> None:
    easy = np.repeat([0.0, 1.0], 100)
    better = np.clip(easy + 0.1, 0, 1)
    paired = paired_difference(better, easy)
    unpaired = paired_difference(RANDOM.permutation(better), easy)
    assert paired.high - paired.low < (unpaired.high - unpaired.low) / 3


def test_the_interval_agrees_with_the_normal_one() -> None:
    differences = np.random.default_rng(2).normal(0.05, 0.2, 400)
    found = paired_difference(0.5 + differences, np.full(400, 0.5))
    half = 100 * 1.96 * differences.std() / 20
    assert (found.low, found.high) == pytest.approx((found.mean - half, found.mean + half), abs=0.15)


def test_seeds_are_averaged_for_each_example() -> None:
    runs, theirs = RANDOM.random((3, 80)), RANDOM.random(80)
    assert paired_difference(runs, theirs) == paired_difference(runs.mean(axis=0), theirs)
    repeated = paired_difference(np.tile(runs[0], (9, 1)), theirs)
    assert (repeated.low, repeated.high) == pytest.approx(tuple(vars(paired_difference(runs[0], theirs)).values())[1:3])


def test_the_interval_is_the_same_every_time_and_wider_for_more_confidence() -> None:
    ours, theirs = RANDOM.random(60), RANDOM.random(60)
    found = paired_difference(ours, theirs)
    assert paired_difference(ours, theirs) == found
    sure = paired_difference(ours, theirs, confidence=0.99)
    assert sure.low < found.low < found.high < sure.high


@pytest.mark.parametrize(("ours", "theirs"), [([1.0], [1.0, 0.0]), ([], [])], ids=["other examples", "none"])
def test_other_examples_cannot_be_paired(ours: list[float], theirs: list[float]) -> None:
    with pytest.raises(ConfigError, match="the same examples on both sides"):
        paired_difference(ours, theirs)
