import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaptkit.data.batching import chunks, heldout_of_kinds, heldout_rows, length_bucketed

LENGTHS = np.random.default_rng(0).integers(1, 100, size=1003)


def test_every_row_is_in_one_batch() -> None:
    batches = length_bucketed(LENGTHS, batch_size=16, seed=0, epoch=0)
    assert sorted(row for batch in batches for row in batch) == list(range(1003))
    assert max(map(len, batches)) == 16


def test_sentences_of_similar_length_go_together() -> None:
    def padding(batches: list[list[int]]) -> float:
        return float(sum(len(batch) * LENGTHS[batch].max() for batch in batches) / LENGTHS.sum() - 1)

    shuffled = np.random.default_rng(0).permutation(1003).tolist()
    plain = padding([shuffled[start : start + 16] for start in range(0, 1003, 16)])
    assert padding(length_bucketed(LENGTHS, batch_size=16, seed=0, epoch=0)) < plain / 5


def test_the_order_is_that_of_seed_and_epoch() -> None:
    first = length_bucketed(LENGTHS, batch_size=16, seed=0, epoch=0)
    assert length_bucketed(LENGTHS, batch_size=16, seed=0, epoch=0) == first
    assert length_bucketed(LENGTHS, batch_size=16, seed=0, epoch=1) != first
    assert length_bucketed(LENGTHS, batch_size=16, seed=1, epoch=0) != first
    longest = [LENGTHS[batch].max() for batch in first]
    assert longest != sorted(longest)


@pytest.mark.parametrize(("n_rows", "expected"), [(9, 0), (20, 2), (160, 16), (2_000, 40), (100_000, 512)])
def test_how_many_rows_are_held_out(n_rows: int, expected: int) -> None:
    rows = heldout_rows(n_rows, seed=0)
    assert len(rows) == len(set(rows)) == expected
    assert rows == sorted(rows) == heldout_rows(n_rows, seed=0)


def test_chunks() -> None:
    assert chunks([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=20, max_size=400), st.integers(0, 5))
def test_every_kind_keeps_a_row_to_train_on(kinds: list[str], seed: int) -> None:
    heldout = heldout_of_kinds([{kind} for kind in kinds], seed=seed)
    assert {kind for row, kind in enumerate(kinds) if row not in set(heldout)} == set(kinds)
    assert len(heldout) == min(len(heldout_rows(len(kinds), seed=seed)), len(kinds) - len(set(kinds)))


def test_rows_of_common_kinds_are_held_out_as_without_kinds() -> None:
    kinds = [{("a", "b")[row % 2], "ab"} for row in range(300)]
    assert heldout_of_kinds(kinds, seed=3) == heldout_rows(300, seed=3)


def test_the_only_row_of_a_kind_is_passed_over() -> None:
    (first, *_) = heldout_rows(200, seed=0)
    kinds = [{"common", "rare"} if row == first else {"common"} for row in range(200)]
    chosen = heldout_of_kinds(kinds, seed=0)
    assert first not in chosen
    assert len(chosen) == len(heldout_rows(200, seed=0))
    assert set(heldout_rows(200, seed=0)) - {first} < set(chosen)
