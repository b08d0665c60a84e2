"""The log beside the checkpoint: its lines, and that neither a kill nor a resumed run breaks or doubles one."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from adaptkit.errors import CannotWrite, ConfigError
from adaptkit.requests import TrainingReport
from adaptkit.storage import Zoo
from adaptkit.training.progress import Progress
from adaptkit.training.training_log import TrainingLog, require_log
from tests.calls import train_adapter
from tests.runs import PAIRS, train_and_interrupt
from tests.tiny import tiny_model


def report(step: int, **given: Any) -> TrainingReport:  # noqa: ANN401
    return TrainingReport(
        step=step,
        total_steps=40,
        tokens=100 * step,
        elapsed_s=float(step),
        learning_rate=1e-3,
        peak_memory_bytes=2**30,
        **given,
    )


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def training(folder: Path, **given: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "lang": "sw",
        "parallel": PAIRS,
        "backbone": tiny_model(),
        "output": folder,
        "batch_size": 8,
        "max_steps": 25,
        "evaluate_every": 10,
        "progress": False,
        **given,
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a run that nothing has interrupted."""
    folder = tmp_path_factory.mktemp("whole") / "sw"
    train_adapter(**training(folder))
    return folder.with_name("sw.training_log.jsonl")


def test_a_run_leaves_its_log_beside_the_adapter(whole: Path) -> None:
    assert sorted(path.name for path in whole.parent.iterdir()) == ["sw", "sw.training_log.jsonl"]
    lines = lines_of(whole)
    told = [(line["step"], "loss" if line["heldout_loss"] is None else "held out") for line in lines]
    assert told == [
        (0, "held out"),
        (1, "loss"),
        (10, "held out"),
        (11, "loss"),
        (20, "held out"),
        (21, "loss"),
        (25, "loss"),
        (25, "held out"),
    ]
    assert all((line["loss"] is None) != (line["heldout_loss"] is None) for line in lines)
    last = lines[-1]
    assert last["total_steps"] == 25
    assert last["tokens_per_s"] == pytest.approx(last["tokens"] / last["elapsed_s"], rel=0.01)
    assert [line["tokens"] for line in lines] == sorted(line["tokens"] for line in lines)
    assert 0 < lines[-1]["learning_rate"] < lines[3]["learning_rate"]


def test_a_zoo_passes_over_it(whole: Path) -> None:
    zoo = Zoo(whole.parent)
    assert [listing.place for listing in zoo.sound] == ["sw"]
    zoo.write_index()
    zoo.check()
    (whole.parent / "index.json").unlink()


def test_no_word_of_the_text_is_in_it(whole: Path) -> None:
    assert all(isinstance(value, int | float | None) for line in lines_of(whole) for value in line.values())


def test_a_resumed_run_has_each_line_once(tmp_path: Path, whole: Path) -> None:
    folder = tmp_path / "sw"
    train_and_interrupt(after=11, **training(folder))
    file = tmp_path / "sw.training_log.jsonl"
    with file.open("a") as log:  # as a process leaves it that was killed behind its checkpoint, and then in a line
        log.write(json.dumps({"step": 20, "loss": None, "heldout_loss": 9.0}) + '\n{"step": 21, "lo')
    train_adapter(**training(folder, resume=True))
    same = ("step", "loss", "heldout_loss", "tokens", "learning_rate")
    found = [[line[name] for name in same] for line in lines_of(file)]
    assert found == [[line[name] for name in same] for line in lines_of(whole)]


def test_a_measure_that_is_taken_again_has_one_line(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path / "log.jsonl")
    log.begin(Progress())
    for each in (report(10, loss=1.0), report(10, heldout={"loss": 2.0}), report(11, loss=0.9)):
        log.take(each)
    log.begin(Progress(step=10, judged_step=0))
    assert [(line["step"], line["loss"]) for line in lines_of(tmp_path / "log.jsonl")] == [(10, 1.0)]


def test_another_run_begins_the_file_anew(tmp_path: Path) -> None:
    for steps in (2, 1):
        train_adapter(**training(tmp_path / "sw", max_steps=steps, overwrite=True))
    assert [line["step"] for line in lines_of(tmp_path / "sw.training_log.jsonl")] == [0, 1, 1]


@pytest.mark.parametrize("content", ["my notes\n", "[1, 2]\n", '{"loss": 1}\n'])
def test_a_file_of_somebody_else_is_not_written_over(tmp_path: Path, content: str) -> None:
    file = tmp_path / "sw.training_log.jsonl"
    file.write_text(content)
    with pytest.raises(ConfigError, match="is no log of a training"):
        train_adapter(**training(tmp_path / "sw"))
    assert file.read_text() == content
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_link_or_a_folder_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("")
    (tmp_path / "link").symlink_to("target")
    for path in (tmp_path, tmp_path / "link"):
        with pytest.raises(ConfigError, match="is no log of a training"):
            require_log(path)


def test_a_line_that_does_not_fit_on_the_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, write = TrainingLog(tmp_path / "log.jsonl"), os.write
    log.begin(Progress())
    log.take(report(1, loss=1.0))
    monkeypatch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:9]))
    with pytest.raises(OSError, match="no room"):
        log.take(report(11, loss=0.5))
    assert [line["step"] for line in lines_of(tmp_path / "log.jsonl")] == [1]


def test_a_full_disk_is_said_before_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(CannotWrite, match=r"log\.jsonl cannot be written"):
        TrainingLog(tmp_path / "log.jsonl").begin(Progress())


def test_a_number_that_is_none_is_null(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path / "log.jsonl")
    log.begin(Progress())
    log.take(report(1, heldout={"loss": 1.0, "token_loss": float("inf")}))
    assert "Infinity" not in (tmp_path / "log.jsonl").read_text()
