"""Trainings on recorded steps, without a GPU: the same adapters as on the model's hooks."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from adaptkit.attaching import Record, RecordStep
from adaptkit.errors import ConfigError, OutOfMemory, TrainingInterrupted
from adaptkit.holding import Graphs
from adaptkit.storage import Adapter
from adaptkit.training import CheckpointFolder
from adaptkit.training.processes import Processes
from tests.calls import train_adapter
from tests.recorded import RunAgain, StepsAgain, no_memory_to_record
from tests.runs import PAIRS, SWAHILI, CtrlC, ObjectiveName, small_run
from tests.tiny import ENCODER_DECODERS, tiny_model
from tests.unit.heads import examples

TRAININGS: dict[str, dict[str, Any]] = {
    "mlm with anchors": {"lang": "sw", "text": SWAHILI},
    "distillation of pairs, at three depths, with anchors": {"lang": "sw", "parallel": PAIRS},
    "bottleneck and invertible layer": {"lang": "sw", "text": SWAHILI, "method": "bottleneck", "invertible": True},
    "topics": {"task": "trial", "data": examples.topics(40)},
    "tags": {"task": "trial", "data": examples.tags(40)},
    "questions": {"task": "trial", "data": examples.questions(40)},
    "a head alone": {"task": "trial", "data": examples.topics(40), "method": "head"},
    "a task that keeps states": {"task": "trial", "data": examples.topics(40), "feature_distillation": 0.5},
}

_STEPS = 6


@dataclass
class Recorders:
    """What stands for CUDA graphs in a training, and counts."""

    step: StepsAgain = field(default_factory=StepsAgain)
    frozen: RunAgain = field(default_factory=RunAgain)

    def __call__(self, _device: torch.device) -> tuple[RecordStep, Record]:
        return self.step, self.frozen


@pytest.fixture
def recorders(monkeypatch: pytest.MonkeyPatch) -> Recorders:
    recorders = Recorders()
    monkeypatch.setattr("adaptkit.training.loop.recorders_for", recorders)
    # What is compared are the weights behind the last step, and not those that began it.
    monkeypatch.setattr("adaptkit.training.state.TrainingState.use_best", lambda _: None)
    return recorders


def trained(asked: dict[str, Any], *, graphs: Graphs, precision: str = "fp32", **options: Any) -> Adapter:  # noqa: ANN401
    return train_adapter(
        **{"rank": 4} if "method" not in asked else {},
        **asked,
        **options,
        backbone=tiny_model(),
        max_steps=_STEPS,
        batch_size=8,
        learning_rate=1e-3,
        precision=precision,
        progress=False,
        graphs=graphs,
    )


def close(found: Adapter, expected: Adapter, tolerance: float) -> None:
    """Within a share of the length of each tensor, and of the losses."""
    assert found.tensors.keys() == expected.tensors.keys()
    for name, tensor in expected.tensors.items():
        assert float((found.tensors[name] - tensor).norm()) <= tolerance * float(tensor.norm()), name
    ours, theirs = found.card.training, expected.card.training
    assert ours is not None
    assert theirs is not None
    assert ours.heldout_loss_before == pytest.approx(theirs.heldout_loss_before, rel=tolerance)
    assert ours.heldout_loss_after == pytest.approx(theirs.heldout_loss_after, rel=tolerance)


@pytest.mark.parametrize("name", TRAININGS)
def test_what_is_trained_is_the_same(name: str, recorders: Recorders) -> None:
    close(trained(TRAININGS[name], graphs="always"), trained(TRAININGS[name], graphs="never"), 3e-3)
    assert recorders.frozen.n_replayed > 0
    if name == "a head alone":
        assert recorders.step.n_there == 0
    else:
        assert recorders.step.n_there == recorders.step.n_back >= _STEPS // 2
        assert recorders.step.n_recorded <= 8


def test_in_bfloat16_it_is_the_same_but_for_its_rounding(recorders: Recorders) -> None:
    asked = TRAININGS["distillation of pairs, at three depths, with anchors"]
    close(trained(asked, graphs="always", precision="bf16"), trained(asked, graphs="never", precision="bf16"), 0.05)
    assert recorders.step.n_back >= _STEPS // 2


@pytest.mark.parametrize("objective", ["mlm", "distill"])
def test_with_dropout_losses_are_alike(objective: ObjectiveName, recorders: Recorders) -> None:
    """What is dropped is drawn for the padded batch: other zeros, as many of them."""
    found = small_run(objective, dropout=0.3, max_steps=15, graphs="always", precision="fp32").train()
    expected = small_run(objective, dropout=0.3, max_steps=15, precision="fp32", graphs="never").train()
    assert found.before == pytest.approx(expected.before, rel=1e-4)
    assert found.after["loss"] == pytest.approx(expected.after["loss"], rel=0.1)
    assert found.after["loss"] != found.before["loss"]
    assert recorders.step.n_there == recorders.step.n_back > 0


def test_a_resumed_run_equals_an_uninterrupted_one(recorders: Recorders, checkpoint: CheckpointFolder) -> None:
    options: dict[str, Any] = {"dropout": 0.3, "graphs": "always", "evaluate_every": 6, "precision": "fp32"}
    whole, resumed = small_run(**options), small_run(checkpoint=checkpoint, **options)
    whole.train()
    with pytest.raises(TrainingInterrupted):
        small_run(checkpoint=checkpoint, **options).train(CtrlC(after=11))
    resumed.train(resume=True, seed=99)
    assert all(torch.equal(weight, whole.weights[name]) for name, weight in resumed.weights.items())
    assert recorders.step.n_recorded > 0


def test_recordings_are_let_go_behind_a_run(recorders: Recorders) -> None:
    small = small_run(graphs="always", max_steps=3)
    small.train()
    assert recorders.step.n_recorded > 0
    assert small.run._passes.steps.n_recorded == 0  # type: ignore[attr-defined]


def test_what_is_measured_beforehand_is_a_replay_and_changes_no_weight(recorders: Recorders) -> None:
    small = small_run(graphs="always")
    before = small.weights
    assert small.run.measure_step(list(range(8))) > 0
    assert (recorders.step.n_recorded, recorders.step.n_there) == (1, 2)
    assert all(torch.equal(weight, before[name]) for name, weight in small.weights.items())


def test_without_a_gpu_it_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    model = tiny_model()
    with pytest.raises(ConfigError, match="records steps as CUDA graphs, and the backbone is on cpu"):
        train_adapter(lang="sw", text=SWAHILI, backbone=model, graphs="always", progress=False, output=tmp_path / "sw")
    assert model.attached == ()
    assert not (tmp_path / "sw").exists()


def test_a_step_that_cannot_be_recorded_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> Any:  # noqa: ANN401
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr("adaptkit.training.loop.recorders_for", lambda _: (fails, RunAgain()))
    with pytest.raises(ConfigError, match=r"cannot be recorded as a CUDA graph.*Leave graphs on auto"):
        small_run(graphs="always").train()


@pytest.mark.usefixtures("recorders")
def test_with_dropout_it_is_for_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    class Two(Processes):
        def __init__(self, device: torch.device) -> None:
            super().__init__(device)
            self.count = 2

    monkeypatch.setattr("adaptkit.training.loop.Processes", Two)
    with pytest.raises(ConfigError, match="draw for the whole batch of all 2 processes"):
        small_run(graphs="always", dropout=0.1)


@pytest.mark.usefixtures("recorders")
def test_it_does_not_go_with_recomputing() -> None:
    with pytest.raises(ConfigError, match="Train without gradient_checkpointing, or leave graphs on auto"):
        small_run(graphs="always", gradient_checkpointing=True)


@pytest.mark.parametrize("options", [{"gradient_checkpointing": True}, {"graphs": "never"}])
def test_steps_run_as_they_are_where_they_cannot_be_recorded_or_should_not(
    options: dict[str, Any], recorders: Recorders
) -> None:
    small_run(max_steps=3, **options).train()
    assert recorders.step.n_recorded == 0


def test_where_a_recording_fails_the_run_goes_on_as_one_without(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    n_asked = 0

    def fails(*_: object) -> Any:  # noqa: ANN401
        nonlocal n_asked
        n_asked += 1
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr("adaptkit.training.loop.recorders_for", lambda _: (fails, RunAgain()))
    found, expected = small_run(precision="fp32"), small_run(precision="fp32", graphs="never")
    assert found.train().after == expected.train().after
    assert n_asked == 1
    assert "run as they are: operation not permitted" in caplog.text


def test_where_memory_is_short_for_a_recording_the_run_goes_on_and_says_that(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("adaptkit.training.loop.recorders_for", lambda _: (no_memory_to_record, RunAgain()))
    found, expected = small_run(precision="fp32"), small_run(precision="fp32", graphs="never")
    assert found.train().after == expected.train().after
    assert "steps of this training do not fit the memory as CUDA graphs, and run as they are" in caplog.text
    assert "cannot be recorded" not in caplog.text


def test_memory_that_is_short_for_a_recording_that_must_be_is_said_to_be_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptkit.training.loop.recorders_for", lambda _: (no_memory_to_record, RunAgain()))
    with pytest.raises(OutOfMemory, match=r"not enough for this run \(2.00 GiB more\)"):
        small_run(graphs="always").train()


@pytest.mark.usefixtures("recorders")
def test_an_encoder_with_a_decoder_is_refused() -> None:
    model = tiny_model(ENCODER_DECODERS[0])
    with pytest.raises(ConfigError, match="has an encoder and a decoder"):
        train_adapter(lang="sw", parallel=PAIRS, backbone=model, graphs="always", progress=False)
