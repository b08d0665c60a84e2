"""At which rank translations are found, and the scores of ranks."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from adaptkit.errors import ConfigError
from adaptkit.scores import Metric, RecallAt, ReciprocalRank, translation_ranks


def on_circle(*degrees: float) -> NDArray[np.float32]:
    """Vectors of length 2 whose cosines are those of the angles between them."""
    angles = np.radians(degrees)
    return np.asarray(2 * np.stack([np.cos(angles), np.sin(angles)], axis=1), np.float32)


def test_ranks_count_what_is_nearer() -> None:
    ours, theirs = on_circle(0, 90, 100), on_circle(10, 97, 102)
    assert translation_ranks(ours, theirs, ["a", "b", "c"]).tolist() == [1, 1, 1]
    assert translation_ranks(theirs, ours, ["a", "b", "c"]).tolist() == [1, 2, 1]  # 97 is nearer to 100 than to 90
    assert translation_ranks(on_circle(0, 2, 3), on_circle(3, 2, 0), ["a", "b", "c"]).tolist() == [3, 1, 3]


def test_what_is_as_near_as_the_right_one_stands_before_it() -> None:
    assert translation_ranks(on_circle(100, 90), on_circle(97, 103), ["a", "b"]).tolist() == [2, 2]


def test_of_equal_translations_any_is_right() -> None:
    assert translation_ranks(on_circle(0, 90), on_circle(89, 1), ["same", "same"]).tolist() == [1, 1]
    ranks = translation_ranks(on_circle(0, 90, 45), on_circle(89, 1, 44), ["same", "same", "other"])
    assert ranks.tolist() == [2, 2, 1]


def test_vectors_that_are_all_alike_find_nothing() -> None:
    assert translation_ranks(on_circle(5, 5, 5), on_circle(9, 9, 9), ["a", "b", "c"]).tolist() == [3, 3, 3]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    ours, theirs = (random.normal(size=(70, 8)).astype(np.float32) for _ in range(2))
    names = [str(number % 60) for number in range(70)]
    expected = translation_ranks(ours, theirs, names)
    monkeypatch.setattr("adaptkit.scores.retrieval._AT_ONCE", 7)
    assert translation_ranks(ours, theirs, names).tolist() == expected.tolist()


@pytest.mark.parametrize(("value", "found"), [(np.nan, "not finite"), (np.inf, "not finite"), (0.0, "length 0")])
def test_vectors_without_a_direction_are_refused(value: float, found: str) -> None:
    right = on_circle(0, 90, 180)
    wrong = right.copy()
    wrong[1] = value
    with pytest.raises(ConfigError, match=rf"1 of 3 vectors have no direction.* that of text 1 has .*{found}"):
        translation_ranks(wrong, right, ["a", "b", "c"])
    with pytest.raises(ConfigError, match="that of translation 1"):
        translation_ranks(right, wrong, ["a", "b", "c"])


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_the_length_of_vectors_changes_nothing(scale: float) -> None:
    ours, theirs = on_circle(0, 90, 45), on_circle(1, 50, 100)
    expected = translation_ranks(ours, theirs, ["a", "b", "c"]).tolist()
    assert translation_ranks((ours * scale).astype(np.float32), theirs, ["a", "b", "c"]).tolist() == expected


@pytest.mark.parametrize(("n", "m"), [(2, 3), (0, 0)])
def test_each_needs_its_translation(n: int, m: int) -> None:
    with pytest.raises(ConfigError, match=f"found {n} and {m}"):
        translation_ranks(np.ones((n, 2), np.float32), np.ones((m, 2), np.float32), ["a"] * m)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [(RecallAt(1), 37.5), (RecallAt(5), 87.5), (ReciprocalRank(), 100 * (1 + 0.75 + 0.3 + 0.35) / 4)],
)
def test_scores_are_means_over_pairs_and_directions(metric: Metric[Any, Any], expected: float) -> None:
    ranks = [(1, 1), (1, 2), (10, 2), (5, 2)]
    assert metric.score(metric.statistics(ranks, ranks).sum(axis=0)) == pytest.approx(expected)
    with pytest.raises(ConfigError, match="found 4 predictions and 3 gold answers"):
        metric.statistics(ranks, ranks[:3])
