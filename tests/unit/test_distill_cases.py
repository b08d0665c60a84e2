"""The benchmarks behind the decisions on distillation: their losses, and options that the library has."""

import json
from typing import Any

import pytest
import torch

from adaptkit.heads.batch import Batch
from adaptkit.objectives.distill import Distill
from adaptkit.requests import request_of
from benchmarks.cases.distill_losses import SquaredError, SquaredErrorAndContrast
from benchmarks.cases.distill_training import CONTESTANTS
from benchmarks.cases.distill_variants import VARIANTS
from tests.tolerance import rounded

TARGETS = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
BATCH = Batch(ids=torch.zeros(3, 1, dtype=torch.long), mask=torch.ones(3, 1, dtype=torch.long), targets=TARGETS[:3])


def test_the_squared_error_is_over_the_variance_of_the_targets() -> None:
    vectors = TARGETS[:3] + torch.tensor([1.0, -2.0, 0.0])[:, None]
    found = SquaredError.for_targets(TARGETS)(vectors[:, None], BATCH)
    variance = (TARGETS - TARGETS.mean(dim=0)).pow(2).sum(dim=-1).mean()
    assert float(found) == rounded(float((8 + 32 + 0) / 3 / variance))


def test_the_contrast_asks_for_ones_own_target() -> None:
    objective = SquaredErrorAndContrast.for_targets(TARGETS)
    own, turned = (objective(TARGETS[rows][:, None], BATCH) for rows in ([0, 1, 2], [1, 2, 0]))
    plain = SquaredError.for_targets(TARGETS)(TARGETS[[1, 2, 0]][:, None], BATCH)
    assert float(own) < 0.1
    assert float(turned) > float(plain) + 1


@pytest.mark.parametrize("options", [options for rows in VARIANTS.values() for options in rows.values()])
def test_every_variant_is_one_of_the_library(options: dict[str, Any]) -> None:
    Distill(**options)


@pytest.mark.parametrize("name", CONTESTANTS)
def test_every_contestant_asks_for_what_there_is(name: str) -> None:
    (told,) = CONTESTANTS[name].arguments
    asked = json.loads(told.removeprefix("--options="))
    assert asked["precision"] in name
    request_of({"lang": "ha", "parallel": [], **asked})
