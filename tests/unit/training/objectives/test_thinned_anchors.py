"""Anchors on a share of the rows: which, and how much each weighs."""

import pytest
import torch

from adaptkit.training.objectives.thinned_anchors import thinned

ANCHORS = torch.tensor([0.5, 0.0, 1.0, 0.5, 0.5, 0.5, 1.0, 0.5, 0.5])


@pytest.mark.parametrize(("share", "n"), [(0.01, 1), (0.125, 1), (0.25, 2), (0.5, 4), (1.0, 8)])
def test_so_many_rows_are_left_and_weigh_so_much_more(share: float, n: int) -> None:
    found = thinned(ANCHORS, share)
    rows = found.nonzero().squeeze(1)
    assert len(rows) == n
    assert torch.equal(found[rows], ANCHORS[rows] * (8 / n))


def test_each_row_weighs_the_same_on_average() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        mean = torch.stack([thinned(ANCHORS, 0.25) for _ in range(4000)]).mean(dim=0)
    torch.testing.assert_close(mean, ANCHORS, atol=0.06, rtol=0.06)


def test_rows_of_all_lengths_are_among_them() -> None:
    anchors = torch.ones(32)
    for _ in range(20):
        rows = thinned(anchors, 0.25).nonzero().squeeze(1)
        assert torch.equal(rows // 4, torch.arange(8))


def test_without_anchors_nothing_is_drawn() -> None:
    none = torch.zeros(3)
    before = torch.get_rng_state()
    assert thinned(none, 0.5) is none
    assert torch.equal(torch.get_rng_state(), before)
