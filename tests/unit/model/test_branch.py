"""One text under many stacks: blocks in which the stacks agree are run once, and nothing else changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from adaptkit.attaching.branch import branch_of
from adaptkit.backbones import blocks_of
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig
from tests.adapters import random_adapter
from tests.tiny import tiny_model

TEXTS = ["The old goat rests under a tree.", "Rain."]
TOPICS = HeadConfig(task_type="classification", labels=("goats", "rain"))
UPPER = AdapterConfig(method=LoraConfig(rank=2, blocks=(3,)), head=TOPICS)
N_BLOCKS = 4
STACKS = ["sw > upper", "sw > upper-2", "sw > low", "upper", "sw > head", "sw > head-2"]


@pytest.fixture(scope="module", params=["bert", "modernbert", "deberta-v2", "albert", "llama"])
def model(request: pytest.FixtureRequest) -> AdaptedModel:
    model = tiny_model(request.param, n_blocks=N_BLOCKS)
    head = replace(UPPER, method=BottleneckConfig(reduction_factor=8, blocks=(3,)))
    low = replace(UPPER, method=LoraConfig(rank=2, blocks=(0,)))
    make = partial(random_adapter, model, kind="task")
    model.attach(
        random_adapter(model, AdapterConfig(method=LoraConfig(rank=2)), name="sw"),
        make(UPPER, name="upper", seed=2),
        make(UPPER, name="upper-2", seed=3),
        make(low, name="low", seed=4),
        make(head, name="head", seed=5),
        make(head, name="head-2", seed=6),
    )
    return model


@contextmanager
def counted(model: AdaptedModel) -> Iterator[list[int]]:
    """How many rows each block is run for, in order."""
    rows: list[int] = []

    def note(_: nn.Module, __: object, output: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
        rows.append(len(output[0] if isinstance(output, tuple) else output))

    handles = [block.register_forward_hook(note) for block in blocks_of(model.network)]
    try:
        yield rows
    finally:
        for handle in handles:
            handle.remove()


def test_answers_and_vectors_are_those_of_each_stack_alone(model: AdaptedModel) -> None:
    texts = [text for text in TEXTS for _ in STACKS]
    stacks = STACKS * len(TEXTS)
    found = model.predict(texts, stacks=stacks)
    for text, stack, each in zip(texts, stacks, found, strict=True):
        assert each.probabilities == pytest.approx(model.predict(text, stack=stack).probabilities, abs=1e-5)
    vectors = model.encode(texts, stacks=stacks)
    alone = torch.stack([model.encode(text, stack=stack) for text, stack in zip(texts, stacks, strict=True)])
    torch.testing.assert_close(vectors, alone, atol=1e-5, rtol=1e-4)


def test_shared_blocks_are_run_once() -> None:
    model = tiny_model(n_blocks=N_BLOCKS)
    make = partial(random_adapter, model, kind="task")
    model.attach(random_adapter(model, AdapterConfig(method=LoraConfig(rank=2)), name="sw"))
    model.attach(make(UPPER, name="upper", seed=2), make(UPPER, name="upper-2", seed=3))
    with counted(model) as rows:
        model.predict([TEXTS[0]] * 2, stacks=["sw > upper", "sw > upper-2"])
    assert rows == [1, 1, 1, 2]
    with counted(model) as rows:
        model.predict([TEXTS[0]] * 3, stacks=["sw > upper"] * 3)
    assert rows == [1, 1, 1, 1]
    with counted(model) as rows:
        model.predict(TEXTS, stacks=["sw > upper", "sw > upper-2"])
    assert rows == [2, 2, 2, 2]


def test_a_branch_is_where_most_is_spared() -> None:
    low, high, other = nn.Identity(), nn.Identity(), nn.Identity()
    plans = [{"0": (low,), "2": (high,)}, {"0": (low,), "2": (other,)}, {"0": (other,)}]
    found = branch_of(["a", "a", "a"], plans, 3, int)
    assert found is not None
    assert (found.block, found.trunks, found.trunk_of) == (2, (0, 2), (0, 0, 1))
    assert branch_of(["a", "b", "c"], plans, 3, int) is None
