"""Dropout of a share is that of the whole batch, in its rows."""

import torch

from adaptkit.layers.dropout import Share, current_share, dropped, share_of
from adaptkit.training.randomness import forked

CPU = torch.device("cpu")
WHOLE = torch.arange(1.0, 61.0).view(5, 3, 4)


def drawn(x: torch.Tensor, share: Share | None = None) -> torch.Tensor:
    with forked(CPU, seed=3), share_of(share):
        return dropped(x, 0.5, training=True)


def test_shares_together_are_what_the_whole_batch_has() -> None:
    whole = drawn(WHOLE)
    parts = [drawn(WHOLE[rows], Share(rows, 5)) for rows in (slice(0, 2), slice(2, 5))]
    assert torch.equal(torch.cat(parts), whole)
    assert 0 < int((whole == 0).sum()) < whole.numel()


def test_what_is_no_part_of_the_batch_is_dropped_as_it_is() -> None:
    distances = torch.ones(1, 7, 4)
    assert torch.equal(drawn(distances, Share(slice(0, 2), 5)), drawn(distances))


def test_nothing_is_drawn_in_use_and_the_share_is_forgotten() -> None:
    with forked(CPU, seed=3), share_of(Share(slice(0, 5), 5)):
        before = torch.get_rng_state()
        assert dropped(WHOLE, 0.5, training=False) is WHOLE
        assert dropped(WHOLE, 0.0, training=True) is WHOLE
        assert torch.equal(torch.get_rng_state(), before)
    assert current_share() is None
