import math

import pytest
import torch
from torch import Tensor

from adaptkit.errors import ConfigError
from adaptkit.objectives import Batch, DistillObjective

WIDTH = 6
MASK = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0], [1, 1, 1]])


def batch() -> Batch:
    return Batch(ids=torch.zeros(4, 3, dtype=torch.long), mask=MASK, targets=torch.randn(4, WIDTH))


def cosine(ours: Tensor, theirs: Tensor) -> float:
    return float(ours @ theirs / (ours.norm() * theirs.norm()))


def plain_loss(hidden: Tensor, targets: Tensor, centre: Tensor, *, weight: float, temperature: float) -> float:
    """One sentence after the other, one cosine after the other."""
    total = 0.0
    for row in range(len(hidden)):
        vector = hidden[row][MASK[row].bool()].mean(dim=0) - centre
        similar = [cosine(vector, target - centre) for target in targets]
        contrast = -math.log(
            math.exp(similar[row] / temperature) / sum(math.exp(value / temperature) for value in similar)
        )
        total += 1 - similar[row] + weight * contrast
    return total / len(hidden)


@pytest.mark.parametrize(("weight", "temperature"), [(1.0, 0.05), (0.3, 0.5), (0.0, 0.05)])
def test_plain_formula(weight: float, temperature: float) -> None:
    centre, given, hidden = torch.randn(WIDTH), batch(), torch.randn(4, 3, WIDTH)
    made = DistillObjective(centre=centre, contrast_weight=weight, temperature=temperature)
    assert given.targets is not None
    expected = plain_loss(hidden, given.targets, centre, weight=weight, temperature=temperature)
    assert float(made(hidden, given)) == pytest.approx(expected, rel=1e-4)
    assert float(made.measures(hidden, given)["loss"]) == pytest.approx(expected, rel=1e-4)


def test_the_target_itself_has_no_distance() -> None:
    given = batch()
    assert given.targets is not None
    hidden = given.targets.unsqueeze(1).expand(4, 3, WIDTH)
    assert float(DistillObjective(centre=torch.zeros(WIDTH), contrast_weight=0)(hidden, given)) == pytest.approx(
        0, abs=1e-5
    )


def test_padding_does_not_count() -> None:
    made, given, hidden = DistillObjective(centre=torch.zeros(WIDTH)), batch(), torch.randn(4, 3, WIDTH)
    other = hidden.clone()
    other[MASK == 0] = 100.0
    assert torch.equal(made(hidden, given), made(other, given))


def test_half_precision_states_give_a_float32_loss() -> None:
    made, given = DistillObjective(centre=torch.zeros(WIDTH)), batch()
    hidden = torch.randn(4, 3, WIDTH).to(torch.bfloat16).requires_grad_()
    loss = made(hidden, given)
    torch.autograd.backward(loss)
    assert loss.dtype == torch.float32
    assert hidden.grad is not None
    assert hidden.grad.abs().max() > 0


def test_nothing_is_trained_or_stored_and_nothing_masked() -> None:
    made, given = DistillObjective(centre=torch.zeros(WIDTH)), batch()
    assert list(made.parameters()) == []
    assert made.state_dict() == {}
    assert made.prepare(given) is given


def test_targets_are_needed() -> None:
    with pytest.raises(ConfigError, match="target"):
        DistillObjective(centre=torch.zeros(WIDTH))(torch.randn(4, 3, WIDTH), Batch(ids=MASK, mask=MASK))


@pytest.mark.parametrize(("weight", "temperature"), [(-1.0, 0.05), (1.0, 0.0), (1.0, -0.1)])
def test_numbers_that_cannot_be_right_are_refused(weight: float, temperature: float) -> None:
    with pytest.raises(ConfigError, match="temperature"):
        DistillObjective(centre=torch.zeros(WIDTH), contrast_weight=weight, temperature=temperature)
