"""An interrupted run that is resumed ends exactly as one that was not."""

from pathlib import Path
from typing import Any

import pytest
import torch

import adaptkit
from adaptkit.errors import CheckpointError, TrainingInterrupted
from adaptkit.training import CheckpointFolder, RunResult
from tests.calls import train_adapter
from tests.runs import PAIRS, SWAHILI, CtrlC, SmallRun, opener, small_run, train_and_interrupt
from tests.tiny import tiny_model

CASES: dict[str, dict[str, Any]] = {
    "mlm, inside the head's warm-up": {"objective": "mlm", "after": 11, "head_warmup_steps": 15},
    "mlm, at the end of the head's warm-up": {"objective": "mlm", "after": 11, "head_warmup_steps": 11},
    "mlm, after the head's warm-up": {"objective": "mlm", "after": 21, "head_warmup_steps": 5},
    "distill, after the first step": {"objective": "distill", "after": 1},
    "distill, at an evaluation": {"objective": "distill", "after": 11, "evaluate_every": 11},
    "distill, right after a checkpoint": {"objective": "distill", "after": 11, "checkpoint_every": 11},
    "distill, between two checkpoints": {"objective": "distill", "after": 21, "checkpoint_every": 4},
    "distill, after the last step": {"objective": "distill", "after": 21, "max_steps": 21},
    "distill, ended early after it": {"objective": "distill", "after": 11, "patience": 2, "least_gain": 0.9},
    "distill, checkpointed activations": {"objective": "distill", "after": 11, "gradient_checkpointing": True},
}

MLM = CASES["mlm, after the head's warm-up"]


def fresh(checkpoint: CheckpointFolder | None, case: dict[str, Any]) -> SmallRun:
    settings = {"max_steps": 25, "evaluate_every": 6, **case}
    settings.pop("after")
    return small_run(checkpoint=checkpoint, **settings)


def figures(result: RunResult) -> tuple[object, ...]:
    return result.steps, result.tokens, result.before, result.after, result.stopped_because


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    case: dict[str, Any], checkpoint: CheckpointFolder
) -> None:
    whole, resumed = fresh(None, case), fresh(checkpoint, case)
    expected = whole.train()
    with pytest.raises(TrainingInterrupted):
        fresh(checkpoint, case).train(CtrlC(after=case["after"]))
    found = resumed.train(resume=True, seed=99)  # another process has another random state
    assert figures(found) == figures(expected)
    assert all(torch.equal(weight, whole.weights[name]) for name, weight in resumed.weights.items())


def test_a_run_may_be_interrupted_many_times(checkpoint: CheckpointFolder) -> None:
    whole, last = fresh(None, MLM), fresh(checkpoint, MLM)
    whole.train()
    for after in (1, 11, 21):
        with pytest.raises(TrainingInterrupted):
            fresh(checkpoint, MLM).train(CtrlC(after=after), resume=True)
    last.train(resume=True)
    assert all(torch.equal(weight, whole.weights[name]) for name, weight in last.weights.items())


@pytest.mark.parametrize("source", [{"parallel": PAIRS}, {"text": SWAHILI}], ids=["distill", "mlm"])
@pytest.mark.parametrize("progress", [True, False], ids=["shown", "silent"])
def test_train_adapter_resumes_to_the_same_file(
    source: dict[str, Any], progress: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"lang": "sw", "max_steps": 15, "batch_size": 8, "dropout": 0.2, "progress": progress}
    whole = train_adapter(**options, **source, backbone=tiny_model(), output=tmp_path / "whole")
    train_and_interrupt(after=11, **options, **source, backbone=tiny_model(), output=tmp_path / "sw")
    display = CtrlC(after=0)
    monkeypatch.setattr("adaptkit.recipes.train.open_display", opener(display))
    resumed = train_adapter(**options, **source, backbone=tiny_model(), output=tmp_path / "sw", resume=True)
    assert (resumed.weights_sha256, resumed.probes) == (whole.weights_sha256, whole.probes)
    assert adaptkit.load_adapter(tmp_path / "sw").weights_sha256 == whole.weights_sha256
    assert whole.card.training is not None
    assert resumed.card.training is not None
    assert resumed.card.training.heldout_loss_after == whole.card.training.heldout_loss_after
    assert "resuming at step 11 of 15" in display.notes
    assert {entry.name for entry in tmp_path.iterdir() if entry.is_dir()} == {"sw", "whole"}


def test_a_source_that_can_be_read_once_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"can be read only once.*Write it to a file"):
        train_adapter(
            lang="sw",
            text=iter(SWAHILI),
            backbone=tiny_model(),
            output=tmp_path / "sw",
            resume_or_start=True,
            progress=False,
        )
