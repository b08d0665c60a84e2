import torch

from adaptkit.layers.pooling import mean_pool


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
