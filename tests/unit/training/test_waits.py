"""A step of a training asks nothing of the device, which on a GPU would be waited for."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from adaptkit.errors import DivergedTraining
from adaptkit.training.loop import TrainingRun
from adaptkit.training.progress import Progress
from tests.calls import train_adapter
from tests.recorded import trainings_recorded
from tests.runs import PAIRS, SWAHILI, Watching, small_run
from tests.tiny import tiny_model
from tests.unit.heads import examples
from tests.unwaited import AskingNothing, Waited, steps_asking_nothing

TRAININGS: dict[str, dict[str, Any]] = {
    "mlm with anchors": {"lang": "sw", "text": SWAHILI},
    "mlm of whole words": {"lang": "sw", "text": SWAHILI, "whole_words": True, "full_vocabulary": True},
    "distillation with anchors": {"lang": "sw", "parallel": PAIRS},
    "distillation of pairs, without": {"lang": "sw", "parallel": PAIRS, "pair_share": 1.0, "token_anchor": 0.0},
    "bottleneck and invertible layer": {"lang": "sw", "text": SWAHILI, "method": "bottleneck", "invertible": True},
    "topics": {"task": "trial", "data": examples.topics(40)},
    "tags": {"task": "trial", "data": examples.tags(40), "r_drop": 1.0},
    "questions": {"task": "trial", "data": examples.questions(40)},
    "choices": {"task": "trial", "data": examples.choices(40)},
    "similarity": {"task": "trial", "data": examples.similar(40)},
    "a task that keeps states": {"task": "trial", "data": examples.topics(40), "feature_distillation": 0.5},
}


@pytest.fixture
def mode(monkeypatch: pytest.MonkeyPatch) -> Iterator[AskingNothing]:
    """Steps of trainings refuse to wait."""
    mode = steps_asking_nothing(monkeypatch)
    yield mode
    assert mode.n_seen


def trained(asked: dict[str, Any], model_type: str = "bert") -> None:
    train_adapter(
        **{"rank": 4} if "method" not in asked else {},
        **asked,
        backbone=tiny_model(model_type),
        max_steps=2,
        batch_size=8,
        progress=False,
    )


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize("name", TRAININGS)
def test_a_step_waits_for_nothing(name: str) -> None:
    trained(TRAININGS[name])


@pytest.mark.usefixtures("mode")
def test_a_step_of_a_decoder_waits_for_nothing() -> None:
    trained({"lang": "sw", "text": SWAHILI, "objective": "clm"}, "llama")


@pytest.mark.usefixtures("mode")
def test_a_step_of_translation_waits_for_nothing() -> None:
    trained({"task": "translation", "data": PAIRS[:40], "source_lang": "en", "lang": "sw"}, "t5")


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize("name", ["mlm with anchors", "distillation with anchors", "topics"])
def test_a_recorded_step_waits_for_nothing(name: str) -> None:
    with trainings_recorded(torch.device("cpu")):
        trained({**TRAININGS[name], "graphs": "always"})


@pytest.mark.usefixtures("mode")
def test_a_wait_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = nn.Linear.forward

    def looking(linear: nn.Linear, x: Tensor) -> Tensor:
        return forward(linear, x) if bool(x.isfinite().all()) else x

    monkeypatch.setattr(nn.Linear, "forward", looking)
    with pytest.raises(Waited, match=r"_local_scalar_dense|is_nonzero"):
        trained(TRAININGS["topics"])


class Order(Watching):
    """Notes which losses are told, and when."""

    def __init__(self, happened: list[str]) -> None:
        super().__init__()
        self.happened = happened

    def step(self, progress: Progress, total_steps: int, loss: float) -> None:
        self.happened.append(f"loss of {progress.step}")
        super().step(progress, total_steps, loss)

    def heldout(self, measures: Mapping[str, float], scores: Mapping[str, float]) -> None:
        self.happened.append("held out")
        super().heldout(measures, scores)


def steps_noted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list in which each step is noted as it begins."""
    happened: list[str] = []
    one_step = TrainingRun._one_step

    def noted(run: TrainingRun, rows: list[int], step: int) -> Tensor:
        happened.append(f"step {step + 1}")
        return one_step(run, rows, step)

    monkeypatch.setattr(TrainingRun, "_one_step", noted)
    return happened


@pytest.mark.parametrize("beside", [False, True])
def test_on_a_gpu_a_loss_is_read_when_the_next_step_is_under_way(beside: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptkit.training.loop.works_beside", lambda _: beside)
    happened = steps_noted(monkeypatch)
    small_run(max_steps=12, evaluate_every=11).train(Order(happened))
    steps = [f"step {step}" for step in range(1, 13)]
    if beside:
        first = ["held out", *steps[:2], "loss of 1", *steps[2:11]]
    else:
        first = ["held out", steps[0], "loss of 1", *steps[1:11]]
    # Before what is held out is measured, and behind the last step, all is told.
    assert happened == [*first, "loss of 11", "held out", steps[11], "loss of 12", "held out"]


def test_what_a_gpu_has_still_to_do_counts_as_time_of_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    happened = steps_noted(monkeypatch)
    monkeypatch.setattr("adaptkit.training.loop.wait_for", lambda _: happened.append("wait"))
    small_run(max_steps=3, evaluate_every=2).train(Order(happened))
    without_losses = [each for each in happened if not each.startswith("loss")]
    assert without_losses == ["held out", "step 1", "step 2", "wait", "held out", "step 3", "wait", "held out"]


class Losses(Watching):
    """Keeps the losses of steps."""

    def __init__(self) -> None:
        super().__init__()
        self.of_steps: list[float] = []

    def step(self, progress: Progress, total_steps: int, loss: float) -> None:
        super().step(progress, total_steps, loss)
        self.of_steps.append(loss)


def test_losses_are_the_same_however_late_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    early, late = Losses(), Losses()
    small_run(max_steps=12).train(early)
    monkeypatch.setattr("adaptkit.training.loop.works_beside", lambda _: True)
    small_run(max_steps=12).train(late)
    assert early.of_steps == late.of_steps
    assert len(early.of_steps) == 3


def test_a_loss_that_is_no_number_is_told_with_the_step_that_had_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptkit.training.loop.works_beside", lambda _: True)
    one_step = TrainingRun._one_step
    monkeypatch.setattr(
        TrainingRun, "_one_step", lambda run, rows, step: one_step(run, rows, step) * (torch.nan if step == 10 else 1)
    )
    with pytest.raises(DivergedTraining, match="the loss is nan at step 10"):
        small_run(max_steps=30).train()
