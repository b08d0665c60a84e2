"""Held-out evaluations are part of what a training is said to cost."""

from collections.abc import Callable
from dataclasses import replace
from itertools import cycle, islice
from typing import Any

import pytest

from adaptkit.data.tasks import TaskData
from adaptkit.model import AdaptedModel
from adaptkit.recipes.evaluations import evaluations_told
from adaptkit.recipes.heldout_scores import HeldoutExamples, Scored
from adaptkit.training import TrainingSettings
from adaptkit.training.loop import TrainingRun
from tests.calls import estimate_adapter, train_adapter
from tests.runs import PAIRS
from tests.unit.heads import examples as made

TASK: dict[str, Any] = {"task": "t", "max_steps": 12, "evaluate_every": 5, "batch_size": 4, "progress": False}


def topics(n: int) -> TaskData:
    data = made.topics()
    return replace(data, examples=list(islice(cycle(data.examples), n)))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step takes a second, a held-out row a tenth of one, an answer two, and to find where a head begins seven."""

    def in_use(_: TrainingRun, work: Callable[[], object]) -> float:
        answered = work.__self__  # type: ignore[attr-defined]
        assert isinstance(answered, HeldoutExamples)
        return 2.0 * len(answered.examples)

    monkeypatch.setattr(TrainingRun, "measure_step", lambda *_: 1.0)
    monkeypatch.setattr(TrainingRun, "measure_heldout", lambda self, rows: self._data.n_tokens(rows) / 10)
    monkeypatch.setattr(TrainingRun, "measure_in_use", in_use)
    monkeypatch.setattr(TrainingRun, "measure_start", lambda self: 7.0 if self.start else 0.0)


@pytest.mark.usefixtures("clock")
def test_losses_and_answers_of_every_evaluation_are_counted(model: AdaptedModel) -> None:
    found = estimate_adapter(**TASK, data=topics(200), dev=topics(90), backbone=model)
    # Before step 0, 5 and 10, at the end, and of the best weights; losses alone of the head as made and as it begins.
    assert found.n_evaluations == 5 + 2
    answers_s = 5 * 90 * 2.0
    losses_s = found.evaluations_s - answers_s
    assert losses_s > 0
    assert found.elapsed_s == pytest.approx(12 * 1.0 + 7.0 + losses_s + answers_s)
    few = estimate_adapter(**TASK, data=topics(200), dev=topics(9), backbone=model)
    assert few.evaluations_s < found.evaluations_s / 5
    (told,) = (line for line in found.plan if line.startswith("evaluations:"))
    assert "measuring what is held out 7 times takes about" in told
    assert "more than all steps. A larger evaluate_every=... takes less; it is 5" in told


@pytest.mark.usefixtures("clock")
def test_the_losses_of_a_language_are_counted_by_their_tokens(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrainingRun, "measure_anchor_states", lambda _: 3.0)
    asked = {"lang": "sw", "parallel": PAIRS, "backbone": model, "max_steps": 40, "batch_size": 4}
    found = estimate_adapter(**asked, evaluate_every=10)
    assert found.n_evaluations == 6
    rare = estimate_adapter(**asked, evaluate_every=100)
    assert rare.n_evaluations == 3
    assert found.evaluations_s == pytest.approx(2 * rare.evaluations_s)
    assert found.elapsed_s - found.evaluations_s == pytest.approx(40 + 3)


def test_a_run_evaluates_as_often_as_is_said(model: AdaptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"losses": 0, "scores": 0}
    evaluate, scored = TrainingRun.evaluate, HeldoutExamples.scored

    def evaluated(self: TrainingRun) -> dict[str, float]:
        counts["losses"] += 1
        return evaluate(self)

    def answered(self: HeldoutExamples) -> Scored:
        counts["scores"] += 1
        return scored(self)

    monkeypatch.setattr(TrainingRun, "evaluate", evaluated)
    monkeypatch.setattr(HeldoutExamples, "scored", answered)
    train_adapter(**TASK, data=topics(60), backbone=model)
    assert counts == {"losses": 7, "scores": 5}


def test_what_is_measured_leaves_the_training_as_it_is(model: AdaptedModel) -> None:
    data = topics(60)
    plain = train_adapter(**TASK, data=data, backbone=model)
    estimated = train_adapter(**{**TASK, "progress": True}, data=data, backbone=model)
    assert plain.weights_sha256 == estimated.weights_sha256
    assert estimate_adapter(**TASK, data=data, backbone=model).evaluations_s > 0


@pytest.mark.parametrize(
    ("every", "warmup", "count"), [(5, 0, 6), (7, 0, 5), (20, 0, 3), (100, 0, 3), (5, 10, 4), (5, 6, 5)]
)
def test_the_number_of_evaluations(every: int, warmup: int, count: int) -> None:
    settings = TrainingSettings(max_steps=20, evaluate_every=every, head_warmup_steps=warmup)
    assert settings.n_evaluations == count


def test_a_small_share_is_not_told_and_a_short_run_has_no_fewer() -> None:
    settings = TrainingSettings(max_steps=20, evaluate_every=20)
    assert evaluations_told(3, 1.0, 10.0, settings) == []
    assert evaluations_told(3, 2.0, 10.0, settings) == [
        "evaluations: measuring what is held out 3 times takes about 2 s, 20% of the training"
    ]
    (told,) = evaluations_told(3, 8.0, 10.0, settings)
    assert told.endswith(
        "80% of the training, more than all steps: so short a run is measured before and after it all the same"
    )
