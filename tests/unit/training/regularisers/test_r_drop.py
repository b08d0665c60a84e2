"""R-Drop by hand."""

import math

import pytest
import torch

from adaptkit.heads import format_of
from adaptkit.heads.batch import Batch
from adaptkit.methods import LoraConfig
from adaptkit.regularisers import RDrop
from adaptkit.task_types import IGNORED, HeadConfig
from adaptkit.training.regularisers import TaskMaterial
from adaptkit.training.regularisers.r_drop import RDropTraining
from tests.tiny import tiny_backbone


def made(task_type: str = "classification", weight: float = 1.0) -> RDropTraining:
    head, backbone = HeadConfig(task_type=task_type, labels=("a", "b")), tiny_backbone()
    material = TaskMaterial(
        backbone=backbone, head=head, task_format=format_of(backbone, head), method=LoraConfig(rank=2)
    )
    return RDropTraining(RDrop(weight=weight), material)


def batch(labels: torch.Tensor) -> Batch:
    rows = torch.arange(len(labels))[:, None]
    return Batch(rows, torch.ones_like(rows), labels=labels, groups=(1,) * len(labels))


def divergence(p: tuple[float, float], q: tuple[float, float]) -> float:
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


def test_each_row_stands_once_more_behind_all_of_them() -> None:
    twice = made().prepare(batch(torch.tensor([0, 1, 1])))
    assert twice.ids[:, 0].tolist() == [0, 1, 2, 0, 1, 2]
    assert twice.require_labels().tolist() == [0, 1, 1, 0, 1, 1]
    assert twice.groups == (1,) * 6
    assert twice.mask.shape == (6, 1)


def test_the_penalty_is_the_mean_of_both_divergences_over_rows() -> None:
    first, second = [(0.9, 0.1), (0.5, 0.5)], [(0.6, 0.4), (0.5, 0.5)]
    by_hand = (divergence(first[0], second[0]) + divergence(second[0], first[0])) / 2 / 2
    outputs = torch.tensor([*first, *second]).log()
    # What is added to all outputs of a row changes no probability.
    outputs[0] += 3
    found = made(weight=2.5)
    prepared = found.prepare(batch(torch.tensor([0, 1])))
    assert float(found.penalty(torch.empty(0), outputs, prepared)) == pytest.approx(by_hand, abs=1e-6)
    assert float(found(torch.empty(0), outputs, prepared)) == pytest.approx(2.5 * by_hand, abs=1e-6)


def test_only_words_that_have_a_tag_count() -> None:
    first, second = [(0.9, 0.1), (0.2, 0.8)], [(0.6, 0.4), (0.9, 0.1)]
    outputs = torch.tensor([first, second]).log()
    found = made("tagging")
    prepared = found.prepare(batch(torch.tensor([[0, IGNORED]])))
    by_hand = (divergence(first[0], second[0]) + divergence(second[0], first[0])) / 2
    assert float(found.penalty(torch.empty(0), outputs, prepared)) == pytest.approx(by_hand, abs=1e-6)


def test_both_passes_learn_from_it() -> None:
    outputs = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    found = made()
    torch.autograd.backward(found(torch.empty(0), outputs, found.prepare(batch(torch.tensor([0])))))
    assert outputs.grad is not None
    assert bool((outputs.grad != 0).all())
