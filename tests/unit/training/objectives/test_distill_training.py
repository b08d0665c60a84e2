"""Whole trainings with what distillation can ask for besides."""

from pathlib import Path
from typing import Any

import pytest

from tests.calls import train_adapter
from tests.runs import PAIRS, train_and_interrupt
from tests.tiny import tiny_model

ASKED: dict[str, dict[str, Any]] = {
    "thinned anchors": {"anchor_share": 0.25},
    "anchors on shared words": {"anchor_on": "shared", "token_anchor": 1.0},
    "similarities": {"relation_weight": 1.0, "similarity_temperature": 0.2},
    "distances": {"relation_weight": 1.0, "relation": "distances"},
    "contrast": {"contrast_weight": 0.1},
}
# What is held out trains too, in copies: a random backbone learns nothing of other sentences.
RUN: dict[str, Any] = {
    "lang": "sw",
    "parallel": PAIRS[:10] * 3,
    "objective": "distill",
    "max_steps": 8,
    "learning_rate": 1e-2,
}


@pytest.fixture(scope="module")
def plain() -> str:
    return train_adapter(**RUN, backbone=tiny_model(), progress=False).weights_sha256


@pytest.mark.parametrize("name", ASKED)
def test_it_changes_what_is_learned_and_a_resumed_run_is_the_same(name: str, plain: str, tmp_path: Path) -> None:
    whole = train_adapter(**RUN, **ASKED[name], backbone=tiny_model(), progress=False)
    train_and_interrupt(after=1, **RUN, **ASKED[name], backbone=tiny_model(), output=tmp_path / "sw")
    resumed = train_adapter(
        **RUN, **ASKED[name], backbone=tiny_model(), output=tmp_path / "sw", resume=True, progress=False
    )
    assert resumed.weights_sha256 == whole.weights_sha256 != plain
    assert whole.card.training is not None
    assert ASKED[name].items() <= dict(whole.card.training.settings).items()
    assert whole.card.training.heldout_loss_after < whole.card.training.heldout_loss_before
