"""A loss or weight that is not a number ends the run, and never reaches a file."""

import math
import signal
from pathlib import Path

import pytest
import torch
from torch import Tensor

import adaptkit
from adaptkit.errors import DivergedTraining
from adaptkit.heads.batch import Batch
from adaptkit.training import CheckpointFolder
from adaptkit.training.objectives import DistillObjective
from tests.calls import train_adapter
from tests.runs import PAIRS, SmallRun, small_data, small_run
from tests.tiny import tiny_model


class Poisoned(DistillObjective):
    """Gives NaN from one training step on; may press Ctrl-C at that step."""

    def __init__(self, from_step: int, *, ctrl_c: bool = False, nan_loss: bool = True) -> None:
        super().__init__(centre=torch.zeros(1, 32), variance=torch.ones(1))
        self.steps, self.from_step, self.ctrl_c, self.nan_loss = 0, from_step, ctrl_c, nan_loss

    def measures(self, hidden: Tensor, batch: Batch) -> dict[str, Tensor]:
        loss = self(hidden, batch)
        if not torch.is_grad_enabled():
            return {"loss": loss}
        self.steps += 1
        if self.steps > self.from_step:
            if self.ctrl_c:
                signal.raise_signal(signal.SIGINT)
            # The square root has no gradient at zero: a sound loss whose gradient is not.
            loss = loss * math.nan if self.nan_loss else loss + (0 * loss).sqrt()
        return {"loss": loss}


def poisoned_run(made: Poisoned, checkpoint: CheckpointFolder | None = None) -> SmallRun:
    return small_run(made=made, checkpoint=checkpoint, checkpoint_every=5, evaluate_every=100)


def test_the_message_names_the_step_and_what_to_try() -> None:
    with pytest.raises(DivergedTraining, match=r"nan at step 10.*lower learning_rate \(now 0.001\).*precision='fp32'"):
        poisoned_run(Poisoned(8)).train()


@pytest.mark.parametrize("nan_loss", [True, False], ids=["loss", "gradient"])
@pytest.mark.parametrize("ctrl_c", [True, False], ids=["interrupted", "at a checkpoint"])
def test_a_sound_checkpoint_is_never_overwritten_by_a_broken_one(
    nan_loss: bool, ctrl_c: bool, checkpoint: CheckpointFolder
) -> None:
    with pytest.raises(DivergedTraining, match="delete it to train with other settings"):
        poisoned_run(Poisoned(12, ctrl_c=ctrl_c, nan_loss=nan_loss), checkpoint).train()
    resumed = poisoned_run(Poisoned(99), checkpoint)
    assert resumed.train(resume=True).steps == 25
    assert all(bool(torch.isfinite(weight).all()) for weight in resumed.weights.values())


def test_a_gradient_that_breaks_in_the_last_step_is_found() -> None:
    with pytest.raises(DivergedTraining, match="held-out loss is nan at step 25"):
        poisoned_run(Poisoned(24, nan_loss=False)).train()


def test_a_poisoned_heldout_target_is_found_before_training() -> None:
    model = tiny_model()
    data = small_data(model)
    assert data.targets is not None
    data.targets[data.heldout[0]] = math.nan
    with pytest.raises(DivergedTraining, match="held-out loss is nan at step 0"):
        small_run(model=model, data=data).train()


def test_an_existing_adapter_outlives_a_diverged_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model()
    good = train_adapter(lang="sw", parallel=PAIRS, backbone=model, output=tmp_path / "sw", max_steps=2, progress=False)
    monkeypatch.setattr(DistillObjective, "measures", lambda _, hidden, __: {"loss": hidden.sum() * math.nan})
    with pytest.raises(DivergedTraining):
        train_adapter(lang="sw", parallel=PAIRS, backbone=model, output=tmp_path / "sw", overwrite=True, progress=False)
    assert adaptkit.load_adapter(tmp_path / "sw").weights_sha256 == good.weights_sha256
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["sw", "sw.training_log.jsonl"]
