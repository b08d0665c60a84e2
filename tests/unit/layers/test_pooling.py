import torch

from adaptkit.layers.pooling import mean_pool, pool_texts
from tests.tolerance import assert_equal_but_for_rounding


def test_the_mean_is_over_real_tokens() -> None:
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [100.0, 100.0]], [[5.0, 6.0], [100.0, 100.0], [7.0, 8.0]]])
    mask = torch.tensor([[1, 1, 0], [1, 0, 1]])
    assert mean_pool(hidden, mask).tolist() == [[2.0, 3.0], [6.0, 7.0]]


def test_half_precision_is_summed_in_float32() -> None:
    hidden = torch.full((1, 300, 1), 1.0, dtype=torch.bfloat16)
    pooled = mean_pool(hidden, torch.ones(1, 300))
    assert pooled.dtype == torch.float32
    assert pooled.item() == 1.0


def test_a_row_of_padding_gives_zeros() -> None:
    assert mean_pool(torch.randn(1, 3, 2), torch.zeros(1, 3)).tolist() == [[0.0, 0.0]]


def test_two_texts_in_a_row_give_two_vectors() -> None:
    hidden = torch.arange(24.0).reshape(3, 4, 2)
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]])
    pooled = pool_texts(hidden, mask, torch.tensor([3, 0, 1]))
    expected = [
        hidden[0, :3].mean(dim=0),
        hidden[1, :2].mean(dim=0),
        hidden[2, :1].mean(dim=0),
        hidden[0, 3],
        hidden[2, 1:3].mean(dim=0),
    ]
    assert_equal_but_for_rounding(pooled, torch.stack(expected))


def test_rows_of_one_text_are_pooled_as_ever() -> None:
    hidden, mask = torch.randn(3, 4, 2), torch.ones(3, 4)
    for lengths in (None, torch.zeros(3, dtype=torch.int32)):
        assert pool_texts(hidden, mask, lengths).equal(mean_pool(hidden, mask))
