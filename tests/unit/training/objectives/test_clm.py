import pytest
import torch
from torch import Tensor, nn

from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch
from adaptkit.layers import InvertibleLayer
from adaptkit.training.objectives import CausalObjective, softmax
from tests.tolerance import rounded

SIZE, WIDTH = 30, 8
IDS = torch.tensor([[5, 6, 7, 8, 9], [5, 6, 10, 1, 1]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


def rows(vocabulary: Tensor | None = None) -> Tensor:
    table = torch.randn(SIZE, WIDTH, generator=torch.Generator().manual_seed(1))
    return table if vocabulary is None else table[vocabulary]


def hidden(seed: int = 0) -> Tensor:
    return torch.randn(2, 5, WIDTH, generator=torch.Generator().manual_seed(seed))


def by_hand(states: Tensor, *, n_opening: int, vocabulary: Tensor | None = None) -> float:
    """Token by token, as it is defined."""
    losses = []
    kept = list(range(SIZE)) if vocabulary is None else vocabulary.tolist()
    for row in range(2):
        for place in range(max(1, n_opening), int(MASK[row].sum())):
            if int(IDS[row, place]) in kept:
                logits = rows(vocabulary) @ states[row, place - 1]
                losses.append(torch.logsumexp(logits, 0) - logits[kept.index(int(IDS[row, place]))])
    return float(torch.stack(losses).mean())


@pytest.mark.parametrize("n_opening", [0, 1, 2, 3])
@pytest.mark.parametrize("vocabulary", [None, torch.tensor([2, 6, 7, 9, 10, 11])])
def test_each_token_is_predicted_from_those_before_it(n_opening: int, vocabulary: Tensor | None) -> None:
    made = CausalObjective(output_rows=rows(vocabulary), n_ids=SIZE, vocabulary=vocabulary, n_opening=n_opening)
    batch = made.prepare(Batch(ids=IDS, mask=MASK))
    assert torch.equal(batch.ids, IDS)
    expected = by_hand(hidden(), n_opening=n_opening, vocabulary=vocabulary)
    assert float(made(hidden(), batch)) == rounded(expected)
    assert made.measures(hidden(), batch)["token_loss"] == made(hidden(), batch)


def test_a_batch_of_single_tokens_costs_nothing() -> None:
    made = CausalObjective(output_rows=rows(), n_ids=SIZE)
    batch = made.prepare(Batch(ids=IDS[:, :1], mask=MASK[:, :1]))
    assert float(made(hidden()[:, :1], batch)) == 0


def test_a_batch_that_was_not_prepared_is_refused() -> None:
    with pytest.raises(ConfigError, match="prepare"):
        CausalObjective(output_rows=rows(), n_ids=SIZE)(hidden(), Batch(ids=IDS, mask=MASK))


def test_pieces_give_the_loss_and_the_gradient_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    made = CausalObjective(output_rows=rows(), n_ids=SIZE)
    batch = made.prepare(Batch(ids=IDS, mask=MASK))
    found = []
    for at_once in (2**28, 2 * 4 * SIZE):
        monkeypatch.setattr(softmax, "_LOGIT_BYTES_AT_ONCE", at_once)
        states = nn.Parameter(hidden())
        loss = made(states, batch)
        torch.autograd.backward(loss)
        assert states.grad is not None
        found.append((loss.detach(), states.grad))
    torch.testing.assert_close(found[0], found[1])


def test_an_invertible_layer_is_undone() -> None:
    layer = InvertibleLayer(hidden_width=WIDTH, coupling_width=3, activation="silu")
    for parameter in layer.requires_grad_(requires_grad=False).parameters():
        nn.init.normal_(parameter)
    plain = CausalObjective(output_rows=rows(), n_ids=SIZE)
    undone = CausalObjective(output_rows=rows(), n_ids=SIZE, invertible=layer)
    batch = plain.prepare(Batch(ids=IDS, mask=MASK))
    assert float(undone(layer(None, hidden()), batch)) == pytest.approx(float(plain(hidden(), batch)), rel=1e-4)
    assert not list(undone.parameters())
