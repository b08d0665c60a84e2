"""CORAL and domain-adversarial training by hand, and the rows of the target domain."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from adaptkit.errors import ConfigError, EmptyCorpus, SourceNotFound
from adaptkit.heads import format_of
from adaptkit.heads.batch import Batch
from adaptkit.methods import LoraConfig
from adaptkit.regularisers import Coral, Dann
from adaptkit.task_types import HeadConfig
from adaptkit.training.regularisers import TaskMaterial
from adaptkit.training.regularisers.coral import CoralTraining
from adaptkit.training.regularisers.dann import DannTraining
from tests.tiny import tiny_backbone

TEXT = [f"The bucket leaks, and water is lost, {number}." for number in range(30)]


def material(**head: Any) -> TaskMaterial:  # noqa: ANN401
    made, backbone = HeadConfig(**{"task_type": "classification", "labels": ("a", "b"), **head}), tiny_backbone()
    return TaskMaterial(backbone=backbone, head=made, task_format=format_of(backbone, made), method=LoraConfig(rank=2))


def coral() -> CoralTraining:
    return CoralTraining(Coral(unlabelled=TEXT), material())


def test_as_many_rows_of_the_target_domain_stand_beside_those_of_a_batch() -> None:
    found = coral()
    batch = Batch(torch.zeros(5, 3, dtype=torch.long), torch.ones(5, 3), language="sw")
    first, second = found.prepare(batch).unlabelled, found.prepare(batch).unlabelled
    assert first is not None
    assert second is not None
    assert len(first.ids) == 5
    assert first.language == "sw"
    assert first.ids.shape != second.ids.shape or not torch.equal(first.ids, second.ids)
    known = {tuple(row.tolist()) for row in found._rows}
    assert all(tuple(ids[mask.bool()].tolist()) in known for ids, mask in zip(first.ids, first.mask, strict=True))


def test_features_are_the_means_of_real_tokens() -> None:
    found, seen = coral(), []
    found.distance = lambda source, target: seen.append((source, target)) or torch.zeros(())  # type: ignore[method-assign, func-returns-value]
    hidden = torch.tensor([[[1.0], [3.0], [50.0]]])
    batch = Batch(
        torch.zeros(1, 3),
        torch.tensor([[1, 1, 0]]),
        unlabelled=Batch(torch.zeros(1, 2), torch.tensor([[1, 0]])),
        unlabelled_states=torch.tensor([[[7.0], [90.0]]]),
    )
    found.penalty(hidden, torch.empty(0), batch)
    assert [tuple(part.tolist()) for part in seen[0]] == [([2.0],), ([7.0],)]


def test_coral_is_the_difference_of_covariances_by_their_own_sizes() -> None:
    source = torch.tensor([[0.0, 0.0], [2.0, 0.0]])  # covariance ((2, 0), (0, 0))
    target = torch.tensor([[0.0, 0.0], [4.0, 4.0]])  # covariance ((8, 8), (8, 8))
    by_hand = ((8 - 2) ** 2 + 3 * 8**2) / (2**2 + 4 * 8**2)
    found = coral()
    assert float(found.distance(source, target)) == pytest.approx(by_hand)
    assert float(found.distance(7 * source, 7 * target)) == pytest.approx(by_hand)
    # A covariance does not know where the centre is.
    assert float(found.distance(source, source + 3)) == pytest.approx(0.0, abs=1e-6)
    assert float(found.distance(source[:1], target[:1])) == 0.0


def test_coral_pulls_covariances_together() -> None:
    found = coral()
    source, target = torch.randn(64, 4), 2 * torch.randn(64, 4)
    moved = source.clone().requires_grad_()
    optimizer = torch.optim.Adam([moved], lr=0.05)
    for _ in range(100):
        optimizer.zero_grad()
        torch.autograd.backward(found.distance(moved, target))
        optimizer.step()
    assert float(found.distance(moved.detach(), target)) < 0.1 * float(found.distance(source, target))


def test_a_batch_of_one_row_has_no_covariance_and_no_gradient() -> None:
    one = torch.ones(1, 4, requires_grad=True)
    torch.autograd.backward(coral().distance(one, one.detach() + 1))
    assert one.grad is not None
    assert one.grad.tolist() == [[0.0] * 4]


def dann(weight: float = 0.5) -> tuple[DannTraining, nn.Linear]:
    """With a discriminator that reads the first feature."""
    found, line = DannTraining(Dann(weight=weight, unlabelled=TEXT), material()), nn.Linear(2, 1)
    found.discriminator = nn.Sequential(line)
    with torch.no_grad():
        line.weight.copy_(torch.tensor([[1.0, 0.0]]))
        line.bias.zero_()
    return found, line


SOURCE, TARGET = torch.tensor([[0.0, 1.0], [0.0, -1.0]]), torch.tensor([[2.0, 1.0], [2.0, -1.0]])


def test_the_loss_is_that_of_a_discriminator_of_centred_and_scaled_features() -> None:
    # The centre is (1, 0) and the spread 1: logits are -1 for the source and 1 for the target.
    for scale, place in ((1, 0), (9, 4)):
        loss = dann()[0].distance(scale * SOURCE + place, scale * TARGET + place)
        assert loss.item() == pytest.approx(math.log(1 + math.exp(-1)))


def test_the_gradient_of_features_is_reversed_and_weighed_and_that_of_the_discriminator_is_not() -> None:
    share = 1 / (1 + math.exp(1))  # of the probability that is wrong
    by_weight = {}
    for weight in (0.5, 2.0):
        (found, line), source = dann(weight), SOURCE.clone().requires_grad_()
        batch = Batch(
            torch.zeros(2, 1),
            torch.ones(2, 1),
            unlabelled=Batch(torch.zeros(2, 1), torch.ones(2, 1)),
            unlabelled_states=TARGET[:, None],
        )
        torch.autograd.backward(found(source[:, None], torch.empty(0), batch))
        assert source.grad is not None
        by_weight[weight] = source.grad[:, 0].tolist()
        assert line.weight.grad is not None
        # Each of the four rows pulls the weight up by the share over 4.
        assert float(line.weight.grad[0, 0]) == pytest.approx(-share)
    # A discriminator would pull the source down; features go up, to the target.
    assert by_weight[0.5] == pytest.approx([-0.5 * share / 4] * 2)
    assert by_weight[2.0] == pytest.approx([-2.0 * share / 4] * 2)


def test_features_that_learn_to_deceive_move_to_the_other_domain() -> None:
    found, _ = dann(weight=1.0)
    source, target = torch.randn(64, 2), torch.randn(64, 2) + torch.tensor([4.0, 0.0])
    shift = torch.zeros(2, requires_grad=True)
    # A discriminator that is too slow is deceived by features that move past the other domain.
    features, teller = torch.optim.Adam([shift], lr=0.02), torch.optim.Adam(found.discriminator.parameters(), lr=0.1)
    for _ in range(300):
        features.zero_grad()
        teller.zero_grad()
        torch.autograd.backward(
            found(
                (source + shift)[:, None],
                torch.empty(0),
                Batch(
                    torch.zeros(64, 1),
                    torch.ones(64, 1),
                    unlabelled=Batch(torch.zeros(64, 1), torch.ones(64, 1)),
                    unlabelled_states=target[:, None],
                ),
            )
        )
        features.step()
        teller.step()
    assert float(((source + shift.detach()).mean(dim=0) - target.mean(dim=0)).norm()) < 2.0


def test_text_that_cannot_serve_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Coral makes two domains alike.*unlabelled=\.\.\."):
        Coral()
    with pytest.raises(
        EmptyCorpus, match="a list of 3 sentences has 3 texts without labels; a domain needs at least 20"
    ):
        CoralTraining(Coral(unlabelled=TEXT[:3]), material())
    with pytest.raises(SourceNotFound):
        CoralTraining(Coral(unlabelled=tmp_path / "nowhere.txt"), material())
    with pytest.raises(ConfigError, match=r"row 1 of the examples is a single text .* this head is for pairs"):
        CoralTraining(Coral(unlabelled=TEXT), material(pairs=True))
    with pytest.raises(ConfigError, match=r"which has no labels: row 1 of the inputs is .* a pair of texts"):
        CoralTraining(Coral(unlabelled=TEXT), material(task_type="similarity", labels=()))


def test_text_is_read_as_inputs_of_the_task() -> None:
    pairs = [f"{line}\tWater is lost." for line in TEXT]
    assert len(CoralTraining(Coral(unlabelled=pairs), material(pairs=True))._rows) == 30
    words = CoralTraining(Coral(unlabelled=TEXT), material(task_type="tagging", labels=("O", "B-PER")))
    assert len(words._rows) == 30
