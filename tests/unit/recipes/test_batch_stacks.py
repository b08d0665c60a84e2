"""What acts on a task's batches."""

from dataclasses import replace

import pytest
import torch

from adaptkit.composition import Stack
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.heads.batch import Batch
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.recipes.batch_stacks import BatchStacks
from adaptkit.recipes.foundation import Foundation
from tests.adapters import random_adapter

LORA = AdapterConfig(method=LoraConfig(rank=2))
WHOLE, ALONE = Stack("language/en", "task/t"), Stack("task/t")
BATCH = Batch(ids=torch.zeros(1, 1), mask=torch.ones(1, 1), language="en")


def stacks(model: AdaptedModel, dropout: float, *, training: bool = True) -> BatchStacks:
    below = replace(random_adapter(model, LORA, name="en"), language="en")
    layers = model.attach_layers("task/t", LORA)
    return BatchStacks(Foundation((below,)), layers.train(training), "task/t", dropout=dropout)


@pytest.mark.parametrize("dropout", [0.25, 0.75])
def test_a_share_of_the_batches_goes_without_what_lies_below(model: AdaptedModel, dropout: float) -> None:
    made = stacks(model, dropout)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = [(made.whole(BATCH), made.below(BATCH)) for _ in range(400)]
    # What lies below is the same for both questions about a batch.
    assert set(drawn) == {(WHOLE, Stack("language/en")), (ALONE, Stack())}
    assert sum(whole == ALONE for whole, _ in drawn) / 400 == pytest.approx(dropout, abs=0.08)


@pytest.mark.parametrize(("dropout", "training"), [(0.9, False), (0.0, True)])
def test_measures_are_taken_with_what_lies_below(model: AdaptedModel, dropout: float, training: bool) -> None:
    made, before = stacks(model, dropout, training=training), torch.get_rng_state()
    assert {made.whole(BATCH) for _ in range(50)} == {WHOLE}
    assert made.below(BATCH) == Stack("language/en")
    assert torch.equal(torch.get_rng_state(), before)
