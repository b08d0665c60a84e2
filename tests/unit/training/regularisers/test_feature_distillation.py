"""Feature distillation by hand."""

from dataclasses import replace

import pytest
import torch

from adaptkit.errors import ConfigError
from adaptkit.heads import format_of
from adaptkit.heads.batch import Batch
from adaptkit.methods import LoraConfig
from adaptkit.regularisers import FeatureDistillation
from adaptkit.task_types import HeadConfig
from adaptkit.training.regularisers import TaskMaterial
from adaptkit.training.regularisers.feature_distillation import FeatureDistillationTraining
from tests.tiny import tiny_backbone

# Two rows of two tokens, the last of which is padding.
BATCH = Batch(torch.zeros(2, 2, dtype=torch.long), torch.tensor([[1, 1], [1, 0]]))
FROZEN = torch.tensor([[[0.0, 0.0], [3.0, 0.0]], [[0.0, 3.0], [99.0, 99.0]]])


@pytest.fixture
def made() -> FeatureDistillationTraining:
    backbone, head = tiny_backbone(), HeadConfig(task_type="classification", labels=("a", "b"))
    material = TaskMaterial(
        backbone=backbone, head=head, task_format=format_of(backbone, head), method=LoraConfig(rank=2)
    )
    return FeatureDistillationTraining(FeatureDistillation(weight=0.5), material)


def test_the_frozen_states_are_asked_for(made: FeatureDistillationTraining) -> None:
    prepared = made.prepare(BATCH)
    assert prepared.anchors is not None
    assert prepared.anchors.tolist() == [1.0, 1.0]
    with pytest.raises(ConfigError, match="needs the frozen stack's states"):
        made(FROZEN, torch.empty(0), prepared)


def test_the_penalty_is_the_squared_way_over_the_squared_spread_of_real_tokens(
    made: FeatureDistillationTraining,
) -> None:
    hidden = FROZEN.clone()
    hidden[0, 1] += torch.tensor([1.0, 2.0])  # a way of 5, squared
    hidden[1, 1] += 50.0  # padding
    # The centre is (1, 1): squared distances from it are 2, 5 and 5.
    batch = replace(BATCH, frozen=FROZEN)
    assert float(made.penalty(hidden, torch.empty(0), batch)) == pytest.approx(5 / 12)
    assert float(made(hidden, torch.empty(0), batch)) == pytest.approx(0.5 * 5 / 12)
    assert float(made(FROZEN, torch.empty(0), batch)) == 0.0


def test_it_has_no_unit(made: FeatureDistillationTraining) -> None:
    hidden = FROZEN + 1.0
    once, scaled = (
        made.penalty(factor * hidden, torch.empty(0), replace(BATCH, frozen=factor * FROZEN)) for factor in (1.0, 7.0)
    )
    assert float(once) == pytest.approx(float(scaled))


def test_a_batch_of_one_token_gives_a_finite_penalty_where_nothing_moved(made: FeatureDistillationTraining) -> None:
    one = Batch(torch.zeros(1, 1, dtype=torch.long), torch.ones(1, 1), frozen=torch.ones(1, 1, 2))
    assert float(made.penalty(torch.ones(1, 1, 2), torch.empty(0), one)) == 0.0
