import dataclasses

import pytest
import torch
from torch import Tensor

from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch
from adaptkit.training.objectives import DistillObjective, depths_of
from tests.tolerance import rounded

WIDTH = 6
MASK = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0], [1, 1, 1]])


def batch() -> Batch:
    return Batch(ids=MASK, mask=MASK, targets=torch.randn(4, WIDTH))


def objective(distance_weight: float = 0.5) -> DistillObjective:
    return DistillObjective(centre=torch.zeros(1, WIDTH), variance=torch.tensor([2.0]), distance_weight=distance_weight)


def plain_loss(hidden: Tensor, targets: Tensor, centre: Tensor, *, variance: float, weight: float) -> float:
    total = 0.0
    for states, mask, target in zip(hidden, MASK, targets, strict=True):
        vector, goal = states[: int(mask.sum())].mean(dim=0) - centre, target - centre
        cosine = float(vector @ goal / (vector.norm() * goal.norm()))
        total += 1 - cosine + weight * float(vector.norm() - goal.norm()) ** 2 / variance
    return total / len(targets)


@pytest.mark.parametrize("weight", [0.0, 0.5, 2.0])
def test_the_loss_is_the_plain_formula(weight: float) -> None:
    given, hidden, centre = batch(), torch.randn(4, 3, WIDTH), torch.randn(WIDTH)
    assert given.targets is not None
    made = DistillObjective(centre=centre[None], variance=torch.tensor([3.0]), distance_weight=weight)
    expected = plain_loss(hidden, given.targets, centre, variance=3.0, weight=weight)
    assert float(made(hidden, given)) == pytest.approx(expected, rel=1e-4)
    assert float(made.measures(hidden, given)["loss"]) == pytest.approx(expected, rel=1e-4)


def test_the_target_itself_costs_nothing() -> None:
    given = batch()
    assert given.targets is not None
    hidden = given.targets.unsqueeze(1).expand(4, 3, WIDTH)
    assert float(objective()(hidden, given)) == pytest.approx(0, abs=1e-5)


def test_half_the_distance_in_the_right_direction_costs() -> None:
    given = batch()
    assert given.targets is not None
    hidden = 0.5 * given.targets.unsqueeze(1).expand(4, 3, WIDTH)
    assert float(objective(distance_weight=0.0)(hidden, given)) == pytest.approx(0, abs=1e-5)
    assert float(objective(distance_weight=1.0)(hidden, given)) > 0.1


def test_centre_and_variance_are_those_of_the_targets() -> None:
    targets = torch.tensor([[1.0, 0.0], [3.0, 0.0]])
    made = DistillObjective.for_targets(targets)
    assert made.get_buffer("centre").tolist() == [[2.0, 0.0]]
    assert made.get_buffer("variance").tolist() == pytest.approx([1.0])


def test_several_depths_are_weighted_and_added() -> None:
    given = Batch(ids=MASK, mask=MASK, targets=torch.randn(4, 3 * WIDTH))
    assert given.targets is not None
    hidden = torch.randn(4, 3, 3 * WIDTH)
    made = DistillObjective.for_targets(given.targets, blocks=(0, 1, 2), inner_weight=0.25)
    parts = zip(torch.split(hidden, WIDTH, dim=-1), torch.split(given.targets, WIDTH, dim=-1), strict=True)
    alone = [
        float(DistillObjective.for_targets(targets)(states, Batch(ids=MASK, mask=MASK, targets=targets)))
        for states, targets in parts
    ]
    expected = 0.25 * alone[0] + 0.25 * alone[1] + alone[2]
    assert float(made(hidden, given)) == rounded(expected)


@pytest.mark.parametrize(
    ("n_blocks", "blocks"), [(1, (0,)), (2, (0, 1)), (3, (0, 1, 2)), (6, (1, 3, 5)), (12, (3, 7, 11))]
)
def test_depths_end_at_the_last_block(n_blocks: int, blocks: tuple[int, ...]) -> None:
    assert depths_of(n_blocks) == blocks


def test_padding_does_not_count() -> None:
    made, given, hidden = objective(), batch(), torch.randn(4, 3, WIDTH)
    other = hidden.clone()
    other[MASK == 0] = 100.0
    assert torch.equal(made(hidden, given), made(other, given))


def test_half_precision_states_give_a_float32_loss() -> None:
    given = batch()
    hidden = torch.randn(4, 3, WIDTH).to(torch.bfloat16).requires_grad_()
    loss = objective()(hidden, given)
    torch.autograd.backward(loss)
    assert loss.dtype == torch.float32
    assert hidden.grad is not None
    assert hidden.grad.abs().max() > 0


def test_nothing_is_trained_or_stored_and_nothing_masked() -> None:
    made, given = objective(), batch()
    assert list(made.parameters()) == []
    assert made.state_dict() == {}
    assert made.prepare(given) is given


def test_targets_are_needed() -> None:
    with pytest.raises(ConfigError, match="target"):
        objective()(torch.randn(4, 3, WIDTH), Batch(ids=MASK, mask=MASK))


def test_targets_without_variance_are_refused() -> None:
    with pytest.raises(ConfigError, match="variance"):
        DistillObjective.for_targets(torch.ones(3, WIDTH))


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ConfigError, match="distance_weight"):
        objective(distance_weight=-1.0)


def test_second_texts_have_targets_behind_all_first_ones() -> None:
    given, hidden = batch(), torch.randn(4, 3, WIDTH)
    targets = torch.randn(5, WIDTH)
    paired = dataclasses.replace(given, targets=targets, first_lengths=torch.tensor([2, 0, 0, 0]))
    # The same texts, each in a row of its own.
    alone = torch.cat([hidden[:1, :2].repeat(1, 2, 1)[:, :3], hidden[1:], hidden[:1, 2:].expand(1, 3, WIDTH)])
    mask = torch.cat([torch.tensor([[1, 1, 0]]), MASK[1:], torch.ones(1, 3, dtype=torch.long)])
    single = Batch(ids=mask, mask=mask, targets=targets)
    assert float(objective()(hidden, paired)) == rounded(float(objective()(alone, single)))


def test_anchors_are_the_plain_formula() -> None:
    given, hidden, frozen = batch(), torch.randn(4, 3, WIDTH), torch.randn(4, 3, WIDTH)
    anchors = torch.tensor([0.1, 0.0, 1.0, 0.1])
    # The second row has no anchor, and the frozen backbone has not read it.
    held = [0, 2, 3]
    anchored = dataclasses.replace(given, anchors=anchors, frozen=frozen[held])
    real = MASK[held].bool()
    spread = frozen[held][real].pow(2).sum(dim=-1).mean()
    strayed = [
        float(((row - there)[mask].pow(2).sum(dim=-1) / spread).mean())
        for row, there, mask in zip(hidden[held], frozen[held], real, strict=True)
    ]
    expected = sum(weight * way for weight, way in zip(anchors[held].tolist(), strayed, strict=True)) / 4
    made = objective()
    assert float(made(hidden, anchored) - made(hidden, given)) == pytest.approx(expected, rel=1e-4)
    still = dataclasses.replace(anchored, frozen=hidden[held])
    assert float(made(hidden, still)) == rounded(float(made(hidden, given)))


def test_tokens_that_are_not_anchored_may_go_anywhere() -> None:
    given, hidden, frozen = batch(), torch.randn(4, 3, WIDTH), torch.randn(4, 3, WIDTH)
    tokens = torch.tensor([[1, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1]])
    anchored = dataclasses.replace(given, anchors=torch.full((4,), 0.5), frozen=frozen, anchored_tokens=tokens)
    spread = frozen[MASK.bool()].pow(2).sum(dim=-1).mean()
    ways = (hidden - frozen).pow(2).sum(dim=-1) / spread
    # Each is held as where all are: over the number of the row's tokens.
    expected = sum(0.5 * float((ways[row] * tokens[row]).sum() / MASK[row].sum()) for row in range(4)) / 4
    made = objective()
    assert float(made(hidden, anchored) - made(hidden, given)) == pytest.approx(expected, rel=1e-4)
    moved = torch.where(tokens.bool()[..., None], frozen, hidden)
    assert float(made(moved, anchored)) == rounded(float(made(moved, given)))


def test_anchors_without_the_frozen_states_are_refused() -> None:
    with pytest.raises(ConfigError, match="frozen backbone's states"):
        objective()(torch.randn(4, 3, WIDTH), dataclasses.replace(batch(), anchors=torch.ones(4)))


def test_rows_without_any_anchor_need_no_frozen_states() -> None:
    given, hidden = batch(), torch.randn(4, 3, WIDTH)
    none = dataclasses.replace(given, anchors=torch.zeros(4))
    assert torch.equal(objective()(hidden, none), objective()(hidden, given))


def test_a_share_of_the_anchors_is_drawn_while_training_alone() -> None:
    given = dataclasses.replace(batch(), anchors=torch.full((4,), 0.5))
    made = DistillObjective(centre=torch.zeros(1, WIDTH), variance=torch.ones(1), anchor_share=0.25)
    drawn = made.prepare(given).anchors
    assert drawn is not None
    assert sorted(drawn.tolist()) == [0.0, 0.0, 0.0, 2.0]
    assert made.eval().prepare(given) is given


def test_which_rows_are_anchored() -> None:
    def anchored(*weights: float) -> Tensor | slice | None:
        return dataclasses.replace(batch(), anchors=torch.tensor(weights)).anchored

    assert batch().anchored is None
    assert anchored(0.0, 0.0, 0.0, 0.0) is None
    assert anchored(0.1, 1.0, 0.1, 0.1) == slice(None)
    some = anchored(0.0, 1.0, 0.0, 0.1)
    assert isinstance(some, Tensor)
    assert some.tolist() == [1, 3]


def test_where_all_rows_are_anchored_none_is_picked_and_the_loss_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    given = dataclasses.replace(
        batch(),
        anchors=torch.tensor([0.1, 0.2, 1.0, 0.1]),
        frozen=torch.randn(4, 3, WIDTH),
        anchored_tokens=torch.tensor([[1, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1]]),
    )
    states, found = torch.randn(4, 3, WIDTH), []
    for rows in (slice(None), torch.arange(4), torch.ones(4, dtype=torch.bool)):
        monkeypatch.setattr(Batch, "anchored", rows)
        hidden = states.clone().requires_grad_()
        loss = objective()(hidden, given)
        torch.autograd.backward(loss)
        assert hidden.grad is not None
        found.append((loss.detach(), hidden.grad))
    every = dataclasses.replace(given, anchors=torch.ones(len(given.ids)))
    monkeypatch.undo()
    assert every.read_by_frozen is every
    for loss, gradient in found[1:]:
        assert torch.equal(loss, found[0][0])
        assert torch.equal(gradient, found[0][1])


def test_the_frozen_backbone_reads_the_anchored_rows_alone() -> None:
    given = dataclasses.replace(batch(), ids=torch.arange(12).reshape(4, 3), language="sw")
    some = dataclasses.replace(given, anchors=torch.tensor([0.0, 0.5, 0.0, 1.0]))
    fetched: list[list[list[int]]] = []
    there = some.on(torch.device("cpu"), lambda ids, _: fetched.append(ids.tolist()))
    read = there.read_by_frozen
    # Its words are fetched with those of the batch.
    assert fetched == [[[3, 4, 5], [9, 10, 11]], given.ids.tolist()]
    assert torch.equal(some.read_by_frozen.ids, read.ids)
    assert read.ids.tolist() == [[3, 4, 5], [9, 10, 11]]
    assert read.mask.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert read.language == "sw"
