"""The softmax over a vocabulary, part of whose rows train."""

import pytest
import torch
from torch import Tensor

from adaptkit.layers import PieceRows
from adaptkit.task_types import IGNORED
from adaptkit.training.objectives import softmax
from adaptkit.training.objectives.softmax import VocabularySoftmax
from tests.pieces import OWN_PIECES, PIECES
from tests.tiny import VOCABULARY_SIZE, unigram_model

WIDTH = 32


def softmax_with_pieces() -> tuple[VocabularySoftmax, PieceRows]:
    rows = unigram_model().attach_layers("language/dz", OWN_PIECES).piece_rows
    assert rows is not None
    table = torch.randn(VOCABULARY_SIZE, WIDTH, generator=torch.Generator().manual_seed(0))
    return VocabularySoftmax(table, None, n_ids=VOCABULARY_SIZE + len(PIECES), more=rows), rows


@pytest.mark.parametrize("at_once", [100, 7])
def test_the_table_is_put_together_once(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made, rows = softmax_with_pieces()
    vectors = torch.randn(20, WIDTH, generator=torch.Generator().manual_seed(1)).requires_grad_()
    labels = torch.randint(len(made), (20,), generator=torch.Generator().manual_seed(2))
    labels[:3] = IGNORED
    # By hand: all at once.
    logits = vectors @ torch.cat([made.get_buffer("rows"), rows.rows]).T
    expected = torch.nn.functional.cross_entropy(logits, labels, ignore_index=IGNORED)
    by_hand = torch.autograd.grad(expected, [vectors, rows.rows])

    put_together, table = [], VocabularySoftmax.table

    def counted(self: VocabularySoftmax) -> Tensor:
        put_together.append(1)
        return table(self)

    monkeypatch.setattr(VocabularySoftmax, "table", counted)
    monkeypatch.setattr(softmax, "_LOGIT_BYTES_AT_ONCE", 4 * len(made) * at_once)
    loss = made(vectors, labels)
    gradients = torch.autograd.grad(loss, [vectors, rows.rows])
    torch.testing.assert_close(loss, expected)
    for found, right in zip(gradients, by_hand, strict=True):
        torch.testing.assert_close(found, right)
    assert len(put_together) == 1
