"""States that are kept: those of tokens, where a batch that is padded in another way has the tokens."""

import pytest
import torch

from adaptkit.training.kept_states import KeptStates

STATES = torch.arange(4 * 3 * 2, dtype=torch.float32).reshape(4, 3, 2)
MASK = torch.tensor([[1, 1, 0], [1, 0, 0], [1, 1, 1], [1, 1, 0]])


def kept() -> KeptStates:
    """Number 7 is two rows, number 5 one, and number 9 another."""
    found = KeptStates()
    found.add([7, 5, 9], STATES, MASK, [2, 1, 1])
    return found


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_batch_has_them_where_its_tokens_are(side: str) -> None:
    wider = torch.cat([MASK, torch.zeros(4, 1, dtype=torch.long)], dim=1)[[3, 0, 1]]
    mask = wider.flip(1) if side == "left" else wider
    given = kept().of([9, 7], mask)
    assert given is not None
    assert given.shape == (3, 4, 2)
    for row, number in enumerate([3, 0, 1]):
        assert torch.equal(given[row][mask[row].bool()], STATES[number][MASK[number].bool()])
    assert not given[~mask.bool()].any()


def test_a_batch_that_was_not_added_as_a_whole_has_none() -> None:
    assert kept().of([9, 6], MASK[:2]) is None
    assert kept().of([], MASK[:0]) is None


def test_one_row_each_is_what_is_not_said_otherwise() -> None:
    plain = KeptStates()
    plain.add([3, 1, 2, 0], STATES, MASK)
    given = plain.of([1], MASK[1:2])
    assert given is not None
    assert torch.equal(given, STATES[1:2] * MASK[1:2, :, None])
