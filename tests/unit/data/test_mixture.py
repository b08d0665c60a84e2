"""How often each source of a mix is drawn, and what is held out of each."""

import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptkit.data.batching import heldout_rows
from adaptkit.data.mixture import Mixture, shares_of

SIZES = (900, 90, 10)


def drawn_parts(mixture: Mixture, epoch: int = 0) -> Counter[int]:
    rows = np.arange(len(mixture.parts))
    return Counter(mixture.parts[mixture.drawn(rows, seed=0, epoch=epoch)].tolist())


def test_shares_follow_size_temperature_and_weight() -> None:
    assert shares_of((900, 100), (1, 1), 1) == (0.9, 0.1)
    assert shares_of((900, 100), (1, 1), 0) == (0.5, 0.5)
    assert shares_of((900, 100), (1, 1), 0.5) == (0.75, 0.25)
    assert shares_of((900, 100), (1, 9), 1) == (0.5, 0.5)
    assert shares_of((900, 100), (3, 1), 0) == (0.75, 0.25)
    assert shares_of((900, 0), (1, 1), 0) == (1.0, 0.0)


def test_groups_are_drawn_by_their_size_and_share_it_among_their_sources() -> None:
    mixture = Mixture.of_sizes((100, 1000, 100), (1, 1, 2), 0, groups=("sw", "ha", "sw"))
    assert mixture.shares == pytest.approx((1 / 6, 1 / 2, 1 / 3))
    assert Counter(mixture.parts.tolist()) == {0: 100, 1: 1000, 2: 100}
    by_size = Mixture.of_sizes((100, 1000, 100), (1, 1, 1), 1, groups=("sw", "ha", "sw"))
    assert by_size.shares == pytest.approx((1 / 12, 10 / 12, 1 / 12))
    assert (by_size.as_they_are, mixture.as_they_are) == (True, False)
    assert Mixture.of_sizes((0, 10), (1, 1), 0, groups=("sw", "ha")).shares == (0.0, 1.0)


def test_sources_as_they_are_give_each_row_once_an_epoch_in_its_place() -> None:
    rows = np.arange(1000)
    for weights in ((1, 1, 1), (2.5, 2.5, 2.5)):
        assert Mixture.of_sizes(SIZES, weights, 1).drawn(rows, seed=0, epoch=3).tolist() == rows.tolist()


@pytest.mark.parametrize(
    ("weights", "alpha", "counts"),
    [((1, 1, 1), 0, (333, 333, 334)), ((1, 1, 10), 1, (826, 83, 92)), ((1, 2, 1), 0, (250, 500, 250))],
)
def test_an_epoch_has_as_many_rows_shared_out_as_asked(
    weights: tuple[float, ...], alpha: float, counts: tuple[int, ...]
) -> None:
    mixture = Mixture.of_sizes(SIZES, weights, alpha)
    for epoch in range(3):
        found = drawn_parts(mixture, epoch)
        assert found.total() == 1000
        assert [abs(found[part] - count) <= 1 for part, count in enumerate(counts)] == [True] * 3


def test_all_rows_of_a_source_come_before_one_comes_again() -> None:
    mixture, rows = Mixture.of_sizes(SIZES, (1, 1, 1), 0), np.arange(1000)
    drawn = np.concatenate([mixture.drawn(rows, seed=0, epoch=epoch) for epoch in range(9)])
    for part in range(3):
        times = Counter(drawn[mixture.parts[drawn] == part].tolist())
        assert len(times) == SIZES[part]
        assert max(times.values()) - min(times.values()) <= 1


def test_the_same_rows_for_the_same_seed_and_epoch() -> None:
    mixture, rows = Mixture.of_sizes(SIZES, (1, 1, 1), 0.3), np.arange(1000)
    first = mixture.drawn(rows, seed=1, epoch=2).tolist()
    assert first == mixture.drawn(rows, seed=1, epoch=2).tolist()
    assert first != mixture.drawn(rows, seed=1, epoch=3).tolist()
    assert first != mixture.drawn(rows, seed=2, epoch=2).tolist()


def test_rows_of_no_source_come_once() -> None:
    mixture = Mixture.of_sizes((30, 10), (1, 1), 0).with_parts([0] * 30 + [1] * 10 + [-1] * 5)
    assert drawn_parts(mixture) == {0: 20, 1: 20, -1: 5}


def test_a_source_without_rows_leaves_its_share_to_the_others() -> None:
    mixture = Mixture.of_sizes((30, 10), (1, 1), 0)
    drawn = mixture.drawn(np.arange(30), seed=0, epoch=0)
    assert len(drawn) == 30
    assert drawn.max() < 30


@given(
    st.lists(st.integers(0, 300), min_size=1, max_size=6).filter(lambda sizes: sum(sizes) >= 20),
    st.integers(0, 5),
)
def test_held_out_are_rows_of_every_source_that_has_ten(sizes: list[int], seed: int) -> None:
    mixture, n = Mixture.of_sizes(sizes, [1.0] * len(sizes), 1), sum(sizes)
    rows = mixture.heldout(n, seed=seed)
    assert rows == sorted(set(rows)) == mixture.heldout(n, seed=seed)
    found = Counter(mixture.parts[rows].tolist())
    assert all((found[part] > 0) == (size > 0) for part, size in enumerate(sizes) if size == 0 or size >= 10)
    assert len(heldout_rows(n, seed=seed)) <= len(rows) <= max(n // 10, 1)


HELD_OUT: dict[str, tuple[tuple[int, ...], int, list[int]]] = {
    "a large one and small ones": (
        (300, 40, 9, 5),
        3,
        [12, 50, 54, 63, 69, 83, 139, 169, 174, 205, 209, 225, 232, 286, 322, 324],
    ),
    "small ones that are enough together": ((8, 7, 6, 9), 0, [14, 17, 22]),
    "one without rows": ((25, 0, 3), 7, [14, 17]),
}


@pytest.mark.parametrize(("sizes", "seed", "rows"), HELD_OUT.values(), ids=HELD_OUT)
def test_the_rows_held_out_stay_those_of_earlier_versions(sizes: tuple[int, ...], seed: int, rows: list[int]) -> None:
    assert Mixture.of_sizes(sizes, [1.0] * len(sizes), 1).heldout(sum(sizes), seed=seed) == rows


def test_the_rows_held_out_of_mixed_parts_stay_those_of_earlier_versions() -> None:
    mixture = Mixture.of_sizes((30, 20), (1, 1), 0).with_parts([0, 1, -1, 1, 0] * 12)
    assert mixture.heldout(60, seed=2) == [11, 17, 31, 35, 40, 59]
    assert mixture.heldout(41, seed=1) == [0, 2, 13, 18]


def test_what_is_held_out_of_a_million_rows_is_found_at_once() -> None:
    mixture = Mixture.of_sizes((999_950, 50), (1, 1), 1)
    start = time.process_time()
    assert len(mixture.heldout(1_000_000, seed=0)) == 513
    assert time.process_time() - start < 3


def test_what_makes_another_mixture() -> None:
    made = [
        Mixture.of_sizes(SIZES, weights, alpha) for weights, alpha in (((1, 1, 1), 1), ((1, 1, 2), 1), ((1, 1, 1), 0))
    ]
    made.append(Mixture.of_sizes((900, 91, 9), (1, 1, 1), 1))
    assert len({mixture.identity() for mixture in made}) == 4
