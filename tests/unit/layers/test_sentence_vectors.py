"""Sentence vectors by every pooling, against what is written out by hand."""

import pytest
import torch
from torch import Tensor, nn

from adaptkit.layers.pooling import mean_pool
from adaptkit.layers.sentence_vectors import POOLING_MODES, PoolingMode, Projection, SentenceVectors, UnitLength

HIDDEN = torch.tensor(
    [[[1.0, -2.0], [3.0, 4.0], [5.0, 0.0], [7.0, 7.0]], [[2.0, 2.0], [9.0, 9.0], [9.0, 9.0], [9.0, 9.0]]]
)
MASK = torch.tensor([[1, 1, 1, 0], [1, 0, 0, 0]])
BY_HAND: dict[PoolingMode, list[list[float]]] = {
    "mean": [[3.0, 2 / 3], [2.0, 2.0]],
    "cls": [[1.0, -2.0], [2.0, 2.0]],
    "max": [[5.0, 4.0], [2.0, 2.0]],
    "mean_sqrt_len": [[9 / 3**0.5, 2 / 3**0.5], [2.0, 2.0]],
    "weightedmean": [[22 / 6, 1.0], [2.0, 2.0]],
    "lasttoken": [[5.0, 0.0], [2.0, 2.0]],
}


@pytest.mark.parametrize("mode", POOLING_MODES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_mode(mode: PoolingMode, dtype: torch.dtype) -> None:
    found = SentenceVectors(mode)(HIDDEN.to(dtype), MASK)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, torch.tensor(BY_HAND[mode]))


def test_the_plain_ones_are_the_means_bit_for_bit() -> None:
    plain = SentenceVectors()
    assert plain.is_plain
    assert torch.equal(plain(HIDDEN, MASK), mean_pool(HIDDEN, MASK))
    assert not list(plain.parameters())
    assert not plain.state_dict()


@pytest.mark.parametrize("mode", POOLING_MODES)
def test_a_prompt_that_is_not_counted(mode: PoolingMode) -> None:
    vectors = SentenceVectors(mode, counts_prompt=False, n_skipped=2)
    mask = torch.tensor([[1, 1, 1, 1]])
    rest = HIDDEN[:1, 2:]
    wanted: Tensor = SentenceVectors(mode)(rest, torch.ones(1, 2))
    if mode == "weightedmean":
        # Tokens keep the weights of their places in the whole text.
        wanted = (rest[:, 0] * 3 + rest[:, 1] * 4) / 7
    torch.testing.assert_close(vectors(HIDDEN[:1], mask), wanted)
    torch.testing.assert_close(vectors(HIDDEN[:1], mask, n_skipped=0), SentenceVectors(mode)(HIDDEN[:1], mask))


def test_what_comes_after() -> None:
    weight = torch.tensor([[1.0, 1.0], [0.0, 2.0], [1.0, 0.0]])
    vectors = SentenceVectors("cls", after=(Projection(weight, None, nn.Identity()), UnitLength()))
    wanted = torch.tensor([[-1.0, -4.0, 1.0], [4.0, 4.0, 2.0]])
    torch.testing.assert_close(vectors(HIDDEN, MASK), wanted / wanted.norm(dim=1, keepdim=True))
    torch.testing.assert_close(vectors.pooled(HIDDEN, MASK), torch.tensor(BY_HAND["cls"]))
    assert (vectors.out_width, vectors.is_plain, vectors.is_of_one_token) == (3, False, True)
    assert str(vectors) == "cls pooling, projected to 3, of length 1"
