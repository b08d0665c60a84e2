"""What may be resumed: this run's own, whole checkpoint, and nothing else."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

import adaptkit
from adaptkit.errors import CheckpointError, ConfigError, TrainingInterrupted
from adaptkit.training import CheckpointFolder, TrainingSettings
from adaptkit.training.progress import Silent
from tests.runs import SWAHILI, CtrlC, small_run, train_and_interrupt
from tests.tiny import tiny_model

WEIGHTS, RECORD = "checkpoint.safetensors", "checkpoint.json"
OPTIONS: dict[str, Any] = {"lang": "sw", "text": SWAHILI, "max_steps": 15, "batch_size": 8, "progress": False}


def contents(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def interrupt(checkpoint: CheckpointFolder, after: int = 11) -> None:
    with pytest.raises(TrainingInterrupted):
        small_run(checkpoint=checkpoint).train(CtrlC(after=after))


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """The output folder of a run that was stopped by Ctrl-C."""
    train_and_interrupt(after=11, **OPTIONS, backbone=tiny_model(), output=tmp_path / "sw")
    return tmp_path / "sw"


OTHERS: dict[str, dict[str, Any]] = {
    "learning rate": {"learning_rate": 0.01},
    "seed": {"seed": 1},
    "rank": {"rank": 2},
    "steps": {"max_steps": 16},
    "text": {"text": [*SWAHILI, "Habari ya jioni."]},
    "backbone": {"backbone": tiny_model(seed=1)},
}


TOLD = {
    "learning rate": "learning_rate was None, now 0.01",
    "seed": "seed was 0, now 1",
    "rank": "rank was None, now 2",
    "steps": "max_steps was 15, now 16",
    "text": "content was ",
    "backbone": "backbone was tiny-bert ",
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_runs_checkpoint_is_refused_and_left_alone(name: str, interrupted: Path) -> None:
    folder = interrupted.with_name("sw.checkpoint")
    before = contents(folder)
    arguments = {**OPTIONS, "backbone": tiny_model(), **OTHERS[name]}
    with pytest.raises(CheckpointError, match=TOLD[name]):
        adaptkit.train_adapter(**arguments, output=interrupted, resume=True)
    assert contents(folder) == before
    assert not interrupted.exists()


def test_a_stale_checkpoint_is_not_overwritten(interrupted: Path) -> None:
    before = contents(interrupted.with_name("sw.checkpoint"))
    with pytest.raises(ConfigError, match=r"resume=True, or delete"):
        adaptkit.train_adapter(**OPTIONS, backbone=tiny_model(), output=interrupted)
    assert contents(interrupted.with_name("sw.checkpoint")) == before


def test_the_checkpoint_holds_no_sentence_and_no_pickle(interrupted: Path) -> None:
    found = contents(interrupted.with_name("sw.checkpoint"))
    assert found.keys() == {WEIGHTS, RECORD}
    assert json.loads(found[RECORD])["version"] == 2
    for content in found.values():
        assert content[:2] not in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK")
        assert not any(sentence.encode() in content for sentence in SWAHILI)


def test_resume_without_a_checkpoint_starts_at_the_beginning(tmp_path: Path) -> None:
    adapter = adaptkit.train_adapter(**OPTIONS, backbone=tiny_model(), output=tmp_path / "sw", resume=True)
    assert adapter.card.training is not None
    assert adapter.card.training.steps == 15


def edit(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        record = json.loads((folder / RECORD).read_text())
        change(record)
        (folder / RECORD).write_text(json.dumps(record))

    return damage


def cut(name: str, size: int) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])


def flip_a_number(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-3] ^= 1
    (folder / WEIGHTS).write_bytes(content)


def pickle_instead(folder: Path) -> None:
    torch.save({"weights": torch.zeros(1)}, folder / WEIGHTS)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "weights cut short": cut(WEIGHTS, 1000),
    "weights empty": cut(WEIGHTS, 0),
    "record cut short": cut(RECORD, 100),
    "record missing": lambda folder: (folder / RECORD).unlink(),
    "weights missing": lambda folder: (folder / WEIGHTS).unlink(),
    "a number changed": flip_a_number,
    "a pickle": pickle_instead,
    "another version": edit(lambda record: record.update(version=3)),
    "an unknown field": edit(lambda record: record.update(extra=1)),
    "a step that is no number": edit(lambda record: record["progress"].update(step="11")),
    "random state that is no base64": edit(lambda record: record["random_states"].update(cpu="!")),
    "random state cut short": edit(lambda record: record["random_states"].update(cpu="AAAA")),
    "random state of another device": edit(lambda record: record.update(random_states={})),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_checkpoint_is_refused(damage: Callable[[Path], object], checkpoint: CheckpointFolder) -> None:
    interrupt(checkpoint)
    damage(checkpoint.path)
    before, fresh = contents(checkpoint.path), small_run(checkpoint=checkpoint)
    state, weights = torch.get_rng_state(), fresh.weights
    with pytest.raises(CheckpointError, match=str(checkpoint.path)):
        fresh.run.run(Silent(), resume=True)
    assert contents(checkpoint.path) == before
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(weight, weights[name]) for name, weight in fresh.weights.items())


def test_tensors_of_an_earlier_checkpoint_are_refused(checkpoint: CheckpointFolder) -> None:
    interrupt(checkpoint, after=11)
    earlier = (checkpoint.path / WEIGHTS).read_bytes()
    checkpoint.remove()
    interrupt(checkpoint, after=21)
    (checkpoint.path / WEIGHTS).write_bytes(earlier)
    with pytest.raises(CheckpointError, match="do not belong together"):
        small_run(checkpoint=checkpoint).train(resume=True)


def full_disk(*_: object, **__: object) -> None:
    raise OSError("disk full")


def test_a_failing_save_leaves_a_checkpoint_to_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptkit.recipes.request.TrainingSettings", partial(TrainingSettings, checkpoint_every=5))
    arguments = {**OPTIONS, "backbone": tiny_model(), "output": tmp_path / "sw"}
    with monkeypatch.context() as patch:
        patch.setattr("adaptkit.storage.Adapter.save", full_disk)
        with pytest.raises(OSError, match="disk full"):
            adaptkit.train_adapter(**arguments)
    assert (tmp_path / "sw.checkpoint").exists()
    adaptkit.train_adapter(**arguments, resume=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["sw"]
