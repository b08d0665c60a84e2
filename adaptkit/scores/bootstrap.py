"""The difference between two systems on the same examples, with a paired bootstrap interval."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adaptkit.errors import ConfigError
from adaptkit.scores.metric import Metric, f1

_DRAWS = 10_000
# Examples drawn at once, over all draws together: three arrays of this size are 50 MB.
_DRAWN_AT_ONCE = 2**21
# Decimals of a point. The same numbers summed in another order differ far behind them, and are no evidence.
_DECIMALS = 9


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Mean difference in points (0 to 100) and the interval that holds it with the given confidence."""

    mean: float
    low: float
    high: float
    confidence: float

    @property
    def verdict(self) -> str:
        """`helps`, `hurts` or `no evidence`."""
        if self.low > 0:
            return "helps"
        return "hurts" if self.high < 0 else "no evidence"

    def __str__(self) -> str:
        return f"{self.mean:+.1f} ({self.low:+.1f} to {self.high:+.1f}), {self.verdict}"


def paired_difference(with_: ArrayLike, without: ArrayLike, *, confidence: float = 0.95, seed: int = 0) -> Difference:
    """Bootstrap over examples (Efron and Tibshirani 1993; paired as in Koehn 2004).

    Shape: both (n_examples) or (n_seeds, n_examples), scores of each example between 0 and 1. Seeds are averaged for
    each example first, so that the interval is over examples and not over repeated runs of the same ones.

    Raises:
        ConfigError: The two are not of the same shape, or empty, or the confidence is not between 0 and 1.
    """
    ours, theirs = np.atleast_2d(np.asarray(with_, float)), np.atleast_2d(np.asarray(without, float))
    _check_same_examples(ours[..., None], theirs[..., None])
    differences = 100 * (ours.mean(axis=0) - theirs.mean(axis=0))
    drawn = _resampled_sums(differences[:, None], seed)[:, 0] / len(differences)
    return _difference(float(differences.mean()), drawn, confidence)


def score_interval(
    metric: Metric[Any, Any], statistics: ArrayLike, *, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float, float]:
    """A score, and the bounds that hold it with the given confidence: a bootstrap over examples.

    Shape: statistics (n_examples, k), from `metric.statistics`.

    Raises:
        ConfigError: No examples, or the confidence is not between 0 and 1.
    """
    ours = _by_seed(statistics)
    _check_same_examples(ours, ours)
    drawn = metric.score(_resampled_sums(ours[0], seed))
    found = _difference(float(metric.score(ours[0].sum(axis=0))), drawn, confidence)
    return found.mean, found.low, found.high


def paired_metric_difference(
    metric: Metric[Any, Any], with_: ArrayLike, without: ArrayLike, *, confidence: float = 0.95, seed: int = 0
) -> Difference:
    """Bootstrap over examples, as `paired_difference`, of a score that need not be a mean over examples.

    Every draw takes the same examples for both sides and all seeds, scores each seed by its summed statistics and
    averages the scores over seeds.

    Shape: both (n_examples, k) or (n_seeds, n_examples, k), from `metric.statistics`; the numbers of seeds may differ.

    Raises:
        ConfigError: The two have other examples or statistics, or none, or the confidence is not between 0 and 1.
    """
    whole, drawn, n_ours = _paired_sums(with_, without, seed)
    return _difference(float(_gain(metric.score(whole), n_ours)), _gain(metric.score(drawn), n_ours), confidence)


def paired_class_differences(
    with_: ArrayLike, without: ArrayLike, *, confidence: float = 0.95, seed: int = 0
) -> list[Difference]:
    """`paired_metric_difference` of the F1 of each class, over the same draws.

    Shape: both (n_examples, 3 * n_classes) or (n_seeds, n_examples, 3 * n_classes): for each class (correct, predicted,
    gold).

    Raises:
        ConfigError: As `paired_metric_difference`.
    """
    ours, theirs = _by_seed(with_), _by_seed(without)
    _check_same_examples(ours, theirs)
    both = np.concatenate([ours, theirs])
    counts = both.reshape(*both.shape[:2], -1, 3).transpose(2, 1, 0, 3)
    # An example has one class or a few: of each class, the examples that have it are summed.
    having = [each.any(axis=(1, 2)).nonzero()[0] for each in counts]
    parts = [each[places].reshape(-1, 3 * len(both)) for each, places in zip(counts, having, strict=True)]
    drawn = [
        [_class_gain(times[:, places] @ part, len(ours)) for places, part in zip(having, parts, strict=True)]
        for times in _times_drawn(both.shape[1], seed)
    ]
    gains = np.concatenate(drawn, axis=1)
    means = [float(_class_gain(part.sum(axis=0), len(ours))) for part in parts]
    return [_difference(mean, each, confidence) for mean, each in zip(means, gains, strict=True)]


def _class_gain(sums: NDArray[np.float64], n_ours: int) -> NDArray[np.float64]:
    """Shape: (..., 3 * n_seeds) -> (...), in points of F1."""
    return _gain(100 * f1(sums.reshape(*sums.shape[:-1], -1, 3)), n_ours)


def _paired_sums(
    with_: ArrayLike, without: ArrayLike, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """The summed statistics of both sides, those of each draw, and how many of their seeds are of the first side.

    Shape: (n_seeds, k) and (draws, n_seeds, k), `n_seeds` of both sides together.
    """
    ours, theirs = _by_seed(with_), _by_seed(without)
    _check_same_examples(ours, theirs)
    both = np.concatenate([ours, theirs])
    n_seeds, n_examples, k = both.shape
    sums = _resampled_sums(both.swapaxes(0, 1).reshape(n_examples, n_seeds * k), seed)
    return both.sum(axis=1), sums.reshape(-1, n_seeds, k), len(ours)


def _by_seed(statistics: ArrayLike) -> NDArray[np.float64]:
    """Shape: (n_examples, k) or (n_seeds, n_examples, k) -> (n_seeds, n_examples, k)."""
    found = np.asarray(statistics, float)
    if found.ndim not in (2, 3):
        raise ConfigError(
            f"statistics of shape {found.shape} are not those of a metric; "
            "expected (n_examples, k) or (n_seeds, n_examples, k), from metric.statistics."
        )
    return found if found.ndim == 3 else found[None]


def _check_same_examples(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> None:
    """Shape: both (n_seeds, n_examples, k)."""
    if ours.shape[1:] != theirs.shape[1:] or ours.size == 0 or theirs.size == 0:
        raise ConfigError(
            f"a paired comparison needs the same examples on both sides, found {ours.shape} and {theirs.shape} "
            "(seeds, examples, statistics)."
        )


def _gain(scores: NDArray[np.float64], n_ours: int) -> NDArray[np.float64]:
    """Mean of the first `n_ours` seeds minus that of the others. Shape: (..., n_seeds) -> (...)."""
    found: NDArray[np.float64] = scores[..., :n_ours].mean(axis=-1) - scores[..., n_ours:].mean(axis=-1)
    return found


def _resampled_sums(statistics: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Sums over examples drawn with replacement. Shape: (n_examples, k) -> (draws, k)."""
    return np.concatenate([times @ statistics for times in _times_drawn(len(statistics), seed)])


def _times_drawn(n_examples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each example is drawn, of some of the draws at a time. Shape: (some draws, n_examples)."""
    random = np.random.default_rng(seed)
    at_once = max(1, _DRAWN_AT_ONCE // n_examples)
    for start in range(0, _DRAWS, at_once):
        draws = min(at_once, _DRAWS - start)
        drawn = random.integers(n_examples, size=(draws, n_examples))
        drawn += n_examples * np.arange(draws)[:, None]
        times = np.bincount(drawn.ravel(), minlength=draws * n_examples).reshape(draws, n_examples)
        yield times.astype(float)


def _difference(mean: float, drawn: NDArray[np.float64], confidence: float) -> Difference:
    """Shape: drawn (draws), in points."""
    if not 0 < confidence < 1:
        raise ConfigError(f"the confidence must lie between 0 and 1, found {confidence}.")
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    mean, low, high = (round(float(value), _DECIMALS) for value in (mean, low, high))
    return Difference(mean=mean, low=low, high=high, confidence=confidence)
