"""Trackers and callbacks: what they are told, and what follows where they fail."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import accelerate.tracking
import pytest
from accelerate.tracking import GeneralTracker

from adaptkit.errors import CallbackFailed, ConfigError
from adaptkit.requests import Run, TrainingReport
from adaptkit.training.progress import Progress
from adaptkit.training.reports import Recorder, Reports
from adaptkit.training.trackers import TrackedRun, require_trackers
from adaptkit.training.training_log import TrainingLog
from tests.calls import asked, estimate_adapter
from tests.calls import train_adapter as train_flat
from tests.runs import Watching, opener, small_run
from tests.unit.training.test_training_log import lines_of, report, training


class Remembering(GeneralTracker):  # type: ignore[misc]  # accelerate has no types
    """Keeps what it is told, as a tracker of a service would."""

    name = "remembering"
    requires_logging_directory = False

    def __init__(self, project: str = "", **named: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.project, self.named = project, named
        self.told: list[str] = []
        self.settings: dict[str, Any] = {}
        self.logged: list[tuple[int | None, dict[str, Any]]] = []
        self.fails_at: int | None = None

    @property
    def tracker(self) -> "Remembering":
        return self

    def start(self) -> None:
        self.told.append("start")

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        self.settings = values

    def log(self, values: dict[str, Any], step: int | None = None, **_: object) -> None:
        if step == self.fails_at:
            raise ConnectionError("no network")
        self.logged.append((step, values))

    def finish(self) -> None:
        self.told.append("finish")


def train_adapter(run: Mapping[str, Any], **flat: Any) -> None:  # noqa: ANN401
    """A training with these in its `Run`, which no flag can have."""
    from dataclasses import replace

    from adaptkit.recipes.train import train

    request = asked(**flat)
    train(replace(request, run=replace(request.run, **run)))


def test_a_tracker_of_accelerates_kind_is_told_all(tmp_path: Path) -> None:
    tracker = Remembering()
    train_adapter({"log_with": [tracker]}, **training(tmp_path / "sw"))
    assert tracker.told == ["start", "finish"]
    assert tracker.settings["adapter"] == "language/sw"
    assert tracker.settings["rank"] == 16
    assert all(isinstance(value, str | int | float | bool) for value in tracker.settings.values())
    lines = lines_of(tmp_path / "sw.training_log.jsonl")
    without_none = [{name: value for name, value in line.items() if value is not None} for line in lines]
    assert [{"step": step, **numbers} for step, numbers in tracker.logged] == without_none


def test_trackers_of_services_get_project_and_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Remembering] = []

    def service(project: str, **named: str) -> Remembering:
        made.append(Remembering(project, **named))
        return made[-1]

    service.requires_logging_directory = False  # type: ignore[attr-defined]
    monkeypatch.setattr(
        accelerate.tracking, "LOGGER_TYPE_TO_CLASS", dict.fromkeys(["wandb", "mlflow", "swanlab"], service)
    )
    monkeypatch.setattr(accelerate.tracking, "get_available_trackers", lambda: ["wandb", "mlflow", "swanlab"])
    train_flat(**training(tmp_path / "sw", max_steps=1, log_with=["wandb", "mlflow", "swanlab"]))
    assert [(tracker.project, tracker.named) for tracker in made] == [
        ("adaptkit", {"name": "language/sw"}),
        ("adaptkit", {"run_name": "language/sw"}),
        ("adaptkit", {}),
    ]
    assert all([step for step, _ in tracker.logged] == [0, 1, 1] for tracker in made)


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {name: [(it.step, it.value) for it in events.Scalars(name)] for name in events.Tags()["scalars"]}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_reads_what_a_resumed_run_has_written(tmp_path: Path) -> None:
    from tests.runs import train_and_interrupt

    flat = training(tmp_path / "sw", log_with="tensorboard")
    train_and_interrupt(after=11, **flat)
    train_flat(**{**flat, "resume": True})
    found = scalars(tmp_path / "sw.training_logs" / "tensorboard")
    lines = lines_of(tmp_path / "sw.training_log.jsonl")
    for name in ("loss", "heldout_loss", "tokens", "learning_rate", "tokens_per_s", "elapsed_s", "peak_memory_bytes"):
        written = [(line["step"], line[name]) for line in lines if line[name] is not None]
        assert [step for step, _ in found[name]] == [step for step, _ in written], name
        assert [value for _, value in found[name]] == pytest.approx([value for _, value in written], rel=1e-5), name


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("judged_step", [0, 11])
def test_tensorboard_has_each_point_once_where_the_checkpoint_is_of_an_evaluation(
    tmp_path: Path, judged_step: int
) -> None:
    log, folder = TrainingLog(tmp_path / "log.jsonl"), tmp_path / "logs"
    reports = [report(0, heldout={"loss": 3.0}), report(11, loss=2.0), report(11, heldout={"loss": 1.0})]
    resumed_at = Progress(step=11, judged_step=judged_step)
    again = [] if judged_step == 11 else reports[2:]
    for begun_at, taken in (
        (Progress(), [*reports, report(12, loss=9.0)]),
        (resumed_at, [*again, report(21, loss=0.5)]),
    ):
        while list(folder.rglob(f"*.{int(time.time())}.*")):
            time.sleep(0.05)  # TensorBoard reads its files in the order of their seconds
        recorders: list[Recorder] = [log, TrackedRun("tensorboard", "language/sw", {}, folder, log)]
        for recorder in recorders:
            recorder.begin(begun_at)
        for recorder, each in product(recorders, taken):
            recorder.take(each)
        recorders[1].end()
    found = scalars(folder / "tensorboard")
    assert found["loss"] == [(11, 2.0), (21, 0.5)]
    assert found["heldout_loss"] == [(0, 3.0), (11, 1.0)]
    kept = [(line["step"], line["loss"], line["heldout_loss"]) for line in lines_of(tmp_path / "log.jsonl")]
    assert kept == [(0, None, 3.0), (11, 2.0, None), (11, None, 1.0), (21, 0.5, None)]


def test_a_service_that_breaks_is_left_out_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    display, tracker = Watching(), Remembering()
    tracker.fails_at = 11
    monkeypatch.setattr("adaptkit.recipes.train.open_display", opener(display))
    train_adapter({"log_with": [tracker]}, **training(tmp_path / "sw"))
    assert [step for step, _ in tracker.logged] == [0, 1, 10]
    said = "remembering takes no reports any more: ConnectionError: no network. The run goes on."
    assert display.notes.count(said) == 1
    assert lines_of(tmp_path / "sw.training_log.jsonl")[-1]["step"] == 25


def test_a_service_that_does_not_start_is_said_before_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Remembering) -> None:
        raise ConnectionError("not logged in")

    monkeypatch.setattr(Remembering, "start", refused)
    with pytest.raises(ConfigError, match=r"remembering does not start: ConnectionError: not logged in\. Nothing was"):
        train_adapter({"log_with": [Remembering()]}, **training(tmp_path / "sw"))
    assert lines_of(tmp_path / "sw.training_log.jsonl") == []


@pytest.mark.parametrize(
    ("log_with", "said"),
    [
        ("tensorbord", "names no tracker; accelerate knows .*tensorboard"),
        ("comet_ml", "needs the package comet-ml, which is not here. Install it first"),
        ((3,), "log_with names trackers"),
        ((Remembering,), "log_with names trackers"),
    ],
)
def test_what_is_no_tracker_or_is_not_here_is_refused_first(log_with: Any, said: str, tmp_path: Path) -> None:  # noqa: ANN401
    with pytest.raises(ConfigError, match=said):
        train_adapter({"log_with": log_with}, lang="sw", text=tmp_path / "no-such-file", output=tmp_path / "sw")
    assert list(tmp_path.iterdir()) == []


def test_tensorboard_without_the_package_or_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="writes files beside the output folder, and there is none"):
        estimate_adapter(lang="sw", log_with="tensorboard")
    monkeypatch.setattr(accelerate.tracking, "get_available_trackers", lambda: ["wandb"])
    with pytest.raises(ConfigError, match=r"Run: pip install 'adaptkit-nlp\[tensorboard\]'"):
        require_trackers(("tensorboard",), None)


def test_a_callback_gets_what_the_log_gets(tmp_path: Path) -> None:
    told: list[TrainingReport] = []
    train_adapter({"callback": told.append}, **training(tmp_path / "sw"))
    lines = lines_of(tmp_path / "sw.training_log.jsonl")
    assert [json.loads(json.dumps({"step": it.step, **it.numbers()})) for it in told] == lines
    assert told[0].tokens_per_s == 0


def test_a_callback_works_without_an_output_folder() -> None:
    told: list[int] = []
    small_run(max_steps=3).run.run(Watching(), reports=Reports(callback=lambda it: told.append(it.step)))
    assert told == [0, 1, 3, 3]


@pytest.mark.parametrize(("at", "given"), [(0, {}), (20, {}), (10, {"patience": 1, "least_gain": 0.9}), (25, {})])
def test_a_callback_that_fails_stops_the_run_and_keeps_its_checkpoint(
    tmp_path: Path, at: int, given: Mapping[str, Any]
) -> None:
    whole, folder = tmp_path / "whole", tmp_path / "sw"
    train_flat(**training(whole, **given))

    def failing(found: TrainingReport) -> None:
        if found.step == at and found.heldout:
            raise ZeroDivisionError("my own mistake")

    said = f"the callback failed at step {at} of 25 with ZeroDivisionError: my own mistake; the checkpoint is in"
    with pytest.raises(CallbackFailed, match=said) as stopped:
        train_adapter({"callback": failing}, **training(folder, **given))
    assert isinstance(stopped.value.__cause__, ZeroDivisionError)
    assert stopped.value.checkpoint == tmp_path / "sw.checkpoint"
    train_flat(**training(folder, resume=True, **given))
    weights = [path / "adapter_model.safetensors" for path in (whole, folder)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    reported = [
        [
            (line["step"], line["loss"], line["heldout_loss"])
            for line in lines_of(path.with_name(f"{path.name}.training_log.jsonl"))
        ]
        for path in (whole, folder)
    ]
    assert reported[0] == reported[1]


def test_what_is_no_function_is_no_callback() -> None:
    with pytest.raises(ConfigError, match="callback is a function that takes a TrainingReport, found 3"):
        Run(callback=3)  # type: ignore[arg-type]


def test_a_name_and_a_list_of_names_are_trackers() -> None:
    assert Run(log_with="wandb").trackers == ("wandb",)
    assert Run(log_with=("wandb", "mlflow", "wandb")).trackers == ("wandb", "mlflow")
    assert Run().trackers == ()


def test_seconds_and_watts_are_the_cost() -> None:
    assert report(10, loss=1.0, energy_wh=0.1).numbers()["energy_wh"] == 0.1
    assert report(10, loss=1.0).numbers()["tokens_per_s"] == 100


def test_a_report_is_read_as_a_line() -> None:
    told = TrainingReport(
        step=40, total_steps=300, tokens=2408, elapsed_s=2.0, learning_rate=1e-4, peak_memory_bytes=1, loss=2.31
    )
    assert str(told) == "step 40 of 300: loss 2.310, 1,204 tokens/s"
    held = replace(told, loss=None, heldout={"loss": 2.5, "token_loss": 1.25})
    assert str(held) == "step 40 of 300: held-out loss 2.500, held-out token loss 1.250, 1,204 tokens/s"
