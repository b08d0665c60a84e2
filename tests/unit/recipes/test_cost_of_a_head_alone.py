"""What the training of a head alone is said to cost: what it reads once, and the steps that it takes, if it does."""

from collections import Counter
from contextlib import closing
from typing import Any

import pytest

from adaptkit.data.tasks import TaskData
from adaptkit.model import AdaptedModel
from adaptkit.recipes.estimate import Estimate
from adaptkit.recipes.heldout_scores import HeldoutExamples, Scored
from adaptkit.recipes.task import TaskTraining
from adaptkit.training.head_start import HeadStart
from adaptkit.training.loop import TrainingRun
from tests.calls import estimate_adapter, task_request, train_adapter
from tests.runs import Watching
from tests.unit.heads import examples as made

HEAD_ALONE: dict[str, Any] = {"task": "trial", "method": "head", "max_steps": 15, "batch_size": 8, "progress": False}
BEGINS = "head: begins as a logistic regression of 72 examples, if that has a lower held-out loss than a new one"
REGRESSION: dict[str, TaskData] = {"data": made.topics(), "dev": made.topics()}


def test_a_head_that_is_a_regression_is_said_to_take_no_steps(model: AdaptedModel) -> None:
    found = estimate_adapter(**HEAD_ALONE, **REGRESSION, backbone=model)
    assert found.n_steps == 0
    assert 0 < found.begun_s < found.elapsed_s
    assert " to read the examples once and to find a regression, and " in found.plan[0]
    assert " to measure what is held out; peak memory" in found.plan[0]
    assert [line for line in found.plan if line.startswith("head: a logistic regression, which is found without steps")]
    assert not [word for word in ("ends early", "15 steps", "evaluations:") if word in str(found)]


def test_a_head_whose_regression_is_no_better_is_said_to_take_steps(model: AdaptedModel) -> None:
    found = estimate_adapter(**HEAD_ALONE, evaluate_every=2, patience=2, **made.topics_and_others(), backbone=model)
    assert found.n_steps == 15
    assert 0 < found.begun_s < found.elapsed_s
    assert " to read the examples once, and " in found.plan[0]
    assert " for 15 steps of 8; peak memory" in found.plan[0]
    (told,) = (line for line in found.plan if line.startswith("head: "))
    assert told.startswith("head: trained in steps, since a logistic regression is no better: held-out loss 0.")
    assert "the run ends early where" in str(found)


def test_a_head_of_several_labels_is_said_to_take_steps_and_may_then_be_a_regression(model: AdaptedModel) -> None:
    found = estimate_adapter(**HEAD_ALONE, data=made.topic_sets(), backbone=model)
    assert found.n_steps == 15
    assert 0 < found.begun_s < found.elapsed_s
    (told,) = (line for line in found.plan if line.startswith("head: "))
    assert told.startswith("head: trained in steps, then a logistic regression if none is better than that: held-out")


def test_a_head_beside_layers_is_said_to_begin_as_a_regression_and_to_take_steps(model: AdaptedModel) -> None:
    beside_layers = {name: value for name, value in HEAD_ALONE.items() if name != "method"}
    found = estimate_adapter(**beside_layers, data=made.topics(), backbone=model)
    assert (found.n_steps, found.begun_s) == (15, 0.0)
    (told,) = (line for line in found.plan if line.startswith("head: "))
    assert told == BEGINS


def test_examples_whose_states_do_not_fit_are_said_to_be_read_in_every_step(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adaptkit.training.kept_states._MOST_BYTES", 2**12)
    found = estimate_adapter(**HEAD_ALONE, **REGRESSION, backbone=model)
    assert (found.n_steps, found.begun_s) == (15, 0.0)
    begins, told = (line for line in found.plan if line.startswith("head: "))
    assert begins == BEGINS.replace("72", "80")  # with examples to measure on, all are trained on
    assert told.startswith("head: every step reads its examples anew, since the states of ")
    assert told.endswith(", and 4 KiB are there for them")
    layers = estimate_adapter(**{**HEAD_ALONE, "method": "lora"}, **REGRESSION, backbone=model)
    assert not [line for line in layers.plan if "anew" in line]


@pytest.mark.parametrize(
    "data",
    [REGRESSION, made.topics_and_others(), {"data": made.topic_sets()}],
    ids=["a regression", "steps", "steps, then a regression"],
)
def test_a_run_does_what_its_estimate_said_and_does_not_do_it_again(
    data: dict[str, TaskData], model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: Counter[str] = Counter()
    evaluate, scored, tried = TrainingRun.evaluate, HeldoutExamples.scored, HeadStart._try

    def evaluated(self: TrainingRun) -> dict[str, float]:
        done["losses"] += 1
        return evaluate(self)

    def answered(self: HeldoutExamples) -> Scored:
        done["scores"] += 1
        return scored(self)

    def once(self: HeadStart, *given: Any) -> Any:  # noqa: ANN401 - as of the method
        done["tried"] += 1
        return tried(self, *given)

    plain = train_adapter(**HEAD_ALONE, **data, evaluate_every=5, backbone=model)
    monkeypatch.setattr(TrainingRun, "evaluate", evaluated)
    monkeypatch.setattr(HeadStart, "_try", once)
    request = task_request(**HEAD_ALONE, **data, evaluate_every=5, backbone=model)
    with closing(TaskTraining(request, Watching())) as training:
        found = training.estimate()
        monkeypatch.setattr(HeldoutExamples, "scored", answered)
        adapter = training.train()
    assert adapter.weights_sha256 == plain.weights_sha256
    assert adapter.card.training is not None
    assert adapter.card.training.steps == found.n_steps
    # Of the losses, two are of the head as it is made and as a regression, beside which nothing is scored.
    assert done == {"losses": found.n_evaluations, "scores": found.n_evaluations - 2, "tried": 1}


def test_answers_behind_the_last_loss_are_counted_as_read_again(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_use(_: TrainingRun, work: Any) -> float:  # noqa: ANN401 - a method of examples
        answered = work.__self__
        return 1.0 if answered.kept is not None else 100.0

    monkeypatch.setattr(TrainingRun, "measure_in_use", in_use)
    monkeypatch.setattr(TrainingRun, "measure_heldout", lambda *_: 0.0)
    monkeypatch.setattr(TrainingRun, "measure_step", lambda *_: 0.0)
    found = estimate_adapter(**HEAD_ALONE, **made.topics_and_others(), evaluate_every=5, backbone=model)
    scale = 80 / 24  # of 80 examples, three batches of 8 are measured
    # Beside them, those of a start are measured, in the time that this machine takes.
    assert -1e-6 <= found.evaluations_s - scale * (4 * 1.0 + 100.0) < found.begun_s


def test_a_cost_counts_what_was_begun_once() -> None:
    found = Estimate(
        triage=None,
        objective="classification",
        n_sentences=1,
        n_steps=0,
        elapsed_s=12.0,
        begun_s=10.0,
        preparation_s=3.0,
        peak_memory_bytes=2**30,
        adapter_bytes=1,
    )
    assert found.cost(8) == (
        "about 15 s: 3 s of preparation, 10 s to read the examples once and to find a regression, and 2 s to measure "
        "what is held out; peak memory about 1.0 GiB (measured on a few batches)"
    )
