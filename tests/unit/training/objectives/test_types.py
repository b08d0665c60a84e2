"""Every objective at every pair of types of the states that it reads, of its own weights and of the table."""

from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor, nn

from adaptkit.heads.batch import Batch
from adaptkit.layers import InvertibleLayer
from adaptkit.task_types import IGNORED
from adaptkit.training.objectives import CausalObjective, DistillObjective, MaskedObjective, MaskingRule
from adaptkit.training.objectives.nsp import NextSentenceObjective

WIDTH, SIZE, ROWS, SEQ = 12, 40, 4, 8
TYPES = (torch.float32, torch.bfloat16, torch.float16)
COMPUTED = (torch.float32, torch.bfloat16)
ROUNDING = {torch.float32: 2.0**-24, torch.bfloat16: 2.0**-8, torch.float16: 2.0**-11}


def masked(table: Tensor, dtype: torch.dtype) -> MaskedObjective:
    ids = torch.arange(SIZE)
    return MaskedObjective(
        embeddings=table,
        maskable=ids > 4,
        word_start=ids > 0,
        mask_id=4,
        rule=MaskingRule(share=0.5),
        anchor_weight=1.0,
        dtype=dtype,
        invertible=InvertibleLayer(hidden_width=WIDTH, coupling_width=4, activation="silu"),
    )


def next_sentence(table: Tensor, dtype: torch.dtype) -> NextSentenceObjective:
    return NextSentenceObjective(masked(table, dtype), hidden_width=WIDTH)


def causal(table: Tensor, dtype: torch.dtype) -> CausalObjective:
    return CausalObjective(output_rows=table, n_ids=SIZE, dtype=dtype)


def distill(table: Tensor, _: torch.dtype) -> DistillObjective:
    return DistillObjective.for_targets(table.float())


OBJECTIVES: dict[str, Callable[[Tensor, torch.dtype], nn.Module]] = {
    "mlm": masked,
    "clm": causal,
    "distill": distill,
    "nsp": next_sentence,
}


def batch() -> Batch:
    torch.manual_seed(2)
    ids = torch.randint(5, SIZE, (ROWS, SEQ))
    states = torch.randn(ROWS, SEQ, WIDTH)
    return Batch(
        ids=ids,
        mask=torch.ones_like(ids),
        targets=torch.randn(ROWS, WIDTH),
        anchors=torch.full((ROWS,), 0.5),
        frozen=states.bfloat16(),
        row_labels=torch.tensor([0, 1, IGNORED, 1]),
    )


def loss_and_gradients(
    name: str, read: torch.dtype, computed: torch.dtype, table: torch.dtype
) -> tuple[Tensor, list[Tensor]]:
    torch.manual_seed(0)
    rows = torch.randn(SIZE, WIDTH).bfloat16().half()
    objective = OBJECTIVES[name](rows.to(table), computed)
    hidden = torch.randn(ROWS, SEQ, WIDTH).bfloat16().half().to(read).requires_grad_()
    torch.manual_seed(1)
    prepared = objective.prepare(batch())  # type: ignore[operator]
    loss: Tensor = objective(hidden, prepared)
    torch.autograd.backward(loss)
    trained = [weight for weight in objective.parameters() if weight.requires_grad]
    leaves = [hidden, *trained]
    for leaf in leaves:
        assert leaf.grad is not None
        assert leaf.grad.dtype == leaf.dtype
    return loss.detach(), [leaf.grad.float() for leaf in leaves if leaf.grad is not None]


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize(("read", "computed", "table"), list(product(TYPES, COMPUTED, TYPES)), ids=str)
def test_an_objective_is_that_of_float32_nearly(
    name: str, read: torch.dtype, computed: torch.dtype, table: torch.dtype
) -> None:
    loss, gradients = loss_and_gradients(name, read, computed, table)
    expected, expected_gradients = loss_and_gradients(name, torch.float32, torch.float32, torch.float32)
    assert loss.dtype == torch.float32
    # Logits of some units, whose exponentials are compared: their rounding counts several times over.
    worst = 16 * max(ROUNDING[read], ROUNDING[computed])
    assert float(loss) == pytest.approx(float(expected), rel=worst)
    for found, right in zip(gradients, expected_gradients, strict=True):
        assert float((found - right).norm()) <= worst * float(right.norm())


@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_under_a_callers_autocast(name: str) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        loss, _ = loss_and_gradients(name, torch.float32, torch.float32, torch.float32)
    expected, _ = loss_and_gradients(name, torch.float32, torch.float32, torch.float32)
    assert float(loss) == pytest.approx(float(expected), rel=16 * ROUNDING[torch.bfloat16])
