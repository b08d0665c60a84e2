"""What may be resumed: this run's own, whole checkpoint, and nothing else."""

import errno
import itertools
import json
import re
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

import adaptkit
from adaptkit.errors import CannotWrite, CheckpointError, ConfigError, TrainingInterrupted
from adaptkit.format.folder import write_folder
from adaptkit.training import CheckpointFolder, TrainingSettings
from adaptkit.training.display import Silent
from adaptkit.training.state import TrainingState
from tests.calls import train_adapter
from tests.runs import SWAHILI, CtrlC, Watching, opener, small_run, train_and_interrupt
from tests.tiny import tiny_model

WEIGHTS, RECORD = "checkpoint.safetensors", "checkpoint.json"
SAVED = ["sw", "sw.training_log.jsonl"]
OPTIONS: dict[str, Any] = {"lang": "sw", "text": SWAHILI, "max_steps": 15, "batch_size": 8, "progress": False}


def contents(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def interrupt(checkpoint: CheckpointFolder, after: int = 11) -> None:
    with pytest.raises(TrainingInterrupted):
        small_run(checkpoint=checkpoint).train(CtrlC(after=after))


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run leaves in its folder that was stopped by Ctrl-C."""
    folder = tmp_path_factory.mktemp("left-behind")
    train_and_interrupt(after=11, **OPTIONS, backbone=tiny_model(), output=folder / "sw")
    return folder


@pytest.fixture
def interrupted(left_behind: Path, tmp_path: Path) -> Path:
    """The output folder of such a run, to change."""
    shutil.copytree(left_behind, tmp_path, dirs_exist_ok=True)
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
    "rank": "rank was 16, now 2",
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
        train_adapter(**arguments, output=interrupted, resume=True)
    assert contents(folder) == before
    assert not interrupted.exists()


def test_an_option_that_came_later_is_in_nobodys_way_unless_it_is_asked_for(interrupted: Path) -> None:
    path = interrupted.with_name("sw.checkpoint") / RECORD
    record = json.loads(path.read_text())
    assert "graphs" not in record["run"]  # recorded where it is asked for
    assert record["run"].pop("gradient_checkpointing") == "False"
    assert record["run"].pop("seed") == "0"
    path.write_text(json.dumps(record))
    arguments = {**OPTIONS, "backbone": tiny_model(), "output": interrupted}
    with pytest.raises(CheckpointError, match=r"another run: seed was not known, now 0\. "):
        train_adapter(**arguments, resume=True)
    record["run"]["seed"] = "0"
    path.write_text(json.dumps(record))
    train_adapter(**arguments, resume=True)
    assert interrupted.exists()


def test_a_stale_checkpoint_is_not_overwritten(interrupted: Path) -> None:
    before = contents(interrupted.with_name("sw.checkpoint"))
    with pytest.raises(ConfigError, match=r"resume=True, or delete"):
        train_adapter(**OPTIONS, backbone=tiny_model(), output=interrupted)
    assert contents(interrupted.with_name("sw.checkpoint")) == before


def test_the_checkpoint_holds_no_sentence_and_no_pickle(interrupted: Path) -> None:
    found = contents(interrupted.with_name("sw.checkpoint"))
    assert found.keys() == {WEIGHTS, RECORD}
    assert json.loads(found[RECORD])["version"] == 3
    for content in found.values():
        assert content[:2] not in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK")
        assert not any(sentence.encode() in content for sentence in SWAHILI)


def trained(output: Path, **more: Any) -> adaptkit.Adapter:  # noqa: ANN401 - arguments of train_adapter
    return train_adapter(**{**OPTIONS, "backbone": tiny_model(), "output": output, **more})


def test_resume_without_a_checkpoint_says_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"sw.checkpoint is not there\. Leave resume=True out.*resume_or_start"):
        trained(tmp_path / "sw", resume=True)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match="give one of them"):
        trained(tmp_path / "sw", resume=True, resume_or_start=True)


def test_a_job_that_may_be_started_again_has_one_command(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole", resume_or_start=True)
    train_and_interrupt(after=11, **OPTIONS, backbone=tiny_model(), output=tmp_path / "sw", resume_or_start=True)
    resumed = trained(tmp_path / "sw", resume_or_start=True)
    assert resumed.weights_sha256 == whole.weights_sha256
    assert resumed.card.training is not None
    assert whole.card.training is not None
    assert resumed.card.training.settings == whole.card.training.settings


def test_a_checkpoint_that_a_kill_took_away_is_resumed(interrupted: Path) -> None:
    """Where two folders cannot change places, a kill between two renames leaves both beside the place."""
    for kind in ("new", "old"):
        shutil.copytree(f"{interrupted}.checkpoint", interrupted.with_name(f".sw.checkpoint.adaptkit-{kind}-abcdefgh"))
    shutil.rmtree(f"{interrupted}.checkpoint")
    trained(interrupted, resume=True)
    assert sorted(entry.name for entry in interrupted.parent.iterdir()) == SAVED


def _killed(_: CheckpointFolder) -> None:
    # No signal: a suite that runs in the background of a shell is told to ignore it.
    raise KeyboardInterrupt


def killed_behind_the_save(output: Path) -> adaptkit.Adapter:
    """The adapter of a run that was killed before its checkpoint was deleted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adaptkit.training.CheckpointFolder.remove", _killed)
        with pytest.raises(KeyboardInterrupt):
            trained(output, checkpoint_every=5)
    assert output.with_name(f"{output.name}.checkpoint").exists()
    return adaptkit.load_adapter(output)


@pytest.mark.parametrize("way", ["resume", "resume_or_start"])
def test_a_run_that_was_killed_behind_its_save_is_complete(way: str, tmp_path: Path) -> None:
    saved = killed_behind_the_save(tmp_path / "sw")
    with pytest.raises(ConfigError, match="exists already"):
        trained(tmp_path / "sw")
    with pytest.raises(CheckpointError, match="seed was 0, now 1"):
        trained(tmp_path / "sw", **{way: True}, seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adaptkit.training.TrainingRun.run", None)  # nothing is trained
        found = trained(tmp_path / "sw", **{way: True})
    assert (found.weights_sha256, found.probes) == (saved.weights_sha256, saved.probes)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == SAVED


def test_a_complete_run_can_be_replaced(tmp_path: Path) -> None:
    saved = killed_behind_the_save(tmp_path / "sw")
    other = trained(tmp_path / "sw", overwrite=True, seed=1)
    assert other.weights_sha256 != saved.weights_sha256
    assert sorted(entry.name for entry in tmp_path.iterdir()) == SAVED


def test_an_adapter_beside_an_interrupted_run_is_replaced_when_both_are_asked_for(interrupted: Path) -> None:
    old = train_adapter(**OPTIONS, backbone=tiny_model(), seed=1)
    old.save(interrupted)
    with pytest.raises(ConfigError, match=r"give resume=True and overwrite=True"):
        trained(interrupted)
    with pytest.raises(ConfigError, match=r"give resume=True and overwrite=True"):
        trained(interrupted, resume=True)
    assert trained(interrupted, resume=True, overwrite=True).weights_sha256 != old.weights_sha256
    assert sorted(entry.name for entry in interrupted.parent.iterdir()) == SAVED


def no_room(calls: Collection[int]) -> Callable[..., None]:
    """`write_folder`, with a full disk at these of its calls."""
    numbers = itertools.count()

    def write(folder: Path, files: Mapping[str, bytes], *, overwrite: bool = False) -> None:
        if next(numbers) in calls:
            raise CannotWrite(folder, OSError(errno.ENOSPC, "No space left on device"), sum(map(len, files.values())))
        write_folder(folder, files, overwrite=overwrite)

    return write


def test_a_checkpoint_that_cannot_be_written_ends_no_run(
    checkpoint: CheckpointFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    display, whole = Watching(), small_run()
    monkeypatch.setattr("adaptkit.training.checkpoint.write_folder", no_room({0, 2}))
    small = small_run(checkpoint=checkpoint, checkpoint_every=6)
    small.train(display)
    whole.train()
    assert all(torch.equal(weight, whole.weights[name]) for name, weight in small.weights.items())
    assert checkpoint.step() == 24
    first, second = [note for note in display.notes if "no checkpoint at" in note]
    assert re.match(
        r"no checkpoint at step 6: .*bytes\) cannot be written: No space left.*There is no checkpoint", first
    )
    assert re.match(r"no checkpoint at step 18: .*The last checkpoint, of step 12, is in ", second)


@pytest.mark.parametrize("broken", ["a file of others", "no permission"])
def test_whatever_keeps_a_checkpoint_from_being_written_ends_no_run(
    broken: str, checkpoint: CheckpointFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken == "a file of others":
        checkpoint.path.mkdir()
        (checkpoint.path / "notes.txt").write_text("mine")
    else:
        monkeypatch.setattr("adaptkit.training.checkpoint.write_folder", full_disk)
    display = Watching()
    small_run(checkpoint=checkpoint, checkpoint_every=6, max_steps=12).train(display)
    notes = [note for note in display.notes if "no checkpoint at" in note]
    assert [re.findall(r"step ([0-9]+): .*(?:notes\.txt|disk full)", note) for note in notes] == [["6"], ["12"]]


def test_what_a_kill_left_in_a_checkpoint_is_in_nobodys_way(checkpoint: CheckpointFolder) -> None:
    interrupt(checkpoint)
    (checkpoint.path / ".saved.adaptkit-new-abcdefgh").write_text("half")
    interrupt(checkpoint, after=21)
    assert contents(checkpoint.path).keys() == {WEIGHTS, RECORD}


def test_what_somebody_keeps_beside_a_checkpoint_is_not_deleted_with_it(checkpoint: CheckpointFolder) -> None:
    interrupt(checkpoint)
    (checkpoint.path / "notes.txt").write_text("mine")
    checkpoint.remove()
    assert contents(checkpoint.path) == {"notes.txt": b"mine"}


def test_what_is_kept_is_said_where_the_last_checkpoint_cannot_be_written(
    checkpoint: CheckpointFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adaptkit.training.checkpoint.write_folder", no_room({1}))
    with pytest.raises(TrainingInterrupted, match=r"No space left.*of step 6, is in.*resume=True") as caught:
        small_run(checkpoint=checkpoint, checkpoint_every=6).train(CtrlC(after=11))
    assert caught.value.checkpoint == checkpoint.path
    checkpoint.remove()
    monkeypatch.setattr("adaptkit.training.checkpoint.write_folder", no_room({0}))
    with pytest.raises(TrainingInterrupted, match=r"No space left.*There is no checkpoint\.$") as caught:
        small_run(checkpoint=checkpoint).train(CtrlC(after=11))
    assert caught.value.checkpoint is None


def test_a_folder_of_others_is_not_said_to_be_a_checkpoint_to_go_on_from(checkpoint: CheckpointFolder) -> None:
    checkpoint.path.mkdir()
    (checkpoint.path / "notes.txt").write_text("mine")
    with pytest.raises(TrainingInterrupted, match=r"notes\.txt.*There is no checkpoint\.$") as caught:
        small_run(checkpoint=checkpoint).train(CtrlC(after=11))
    assert caught.value.checkpoint is None


@pytest.mark.parametrize(("every", "told"), [(5, "of step 15, is in .*with resume=True"), (50, "There is no")])
def test_an_adapter_that_cannot_be_saved_says_what_is_kept(
    every: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("adaptkit.storage.adapter.write_folder", no_room({0}))
        with pytest.raises(CannotWrite, match=rf"sw \([\d,]+ bytes\) cannot be written: No space.*{told}"):
            trained(tmp_path / "sw", checkpoint_every=every)
    assert (tmp_path / "sw.checkpoint").exists() == (every == 5)
    trained(tmp_path / "sw", resume_or_start=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == SAVED


def test_a_checkpoint_is_written_at_the_latest_after_some_minutes(
    checkpoint: CheckpointFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count()
    monkeypatch.setattr("adaptkit.training.keeping.time.monotonic", lambda: 60.0 * next(clock))
    steps: list[int] = []
    monkeypatch.setattr(CheckpointFolder, "save", lambda _, progress, *__: steps.append(progress.step))
    small_run(checkpoint=checkpoint, max_steps=12, checkpoint_minutes=3.5).train()
    assert steps == [4, 8, 12]
    with pytest.raises(ConfigError, match="checkpoint_minutes must be above 0"):
        TrainingSettings(max_steps=1, checkpoint_minutes=0)


def test_two_trainings_into_one_output_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = []

    class Second(Watching):
        def heldout(self, measures: Mapping[str, float], scores: Mapping[str, float]) -> None:  # noqa: ARG002
            with pytest.raises(ConfigError, match=r"another training writes to .*sw already") as caught:
                trained(tmp_path / "sw")
            refused.append(caught.value)

    monkeypatch.setattr("adaptkit.recipes.train.open_display", opener(Second()))
    trained(tmp_path / "sw")
    assert refused
    assert sorted(entry.name for entry in tmp_path.iterdir()) == SAVED


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
    "another version": edit(lambda record: record.update(version=4)),
    "an unknown field": edit(lambda record: record.update(extra=1)),
    "a step that is not a number": edit(lambda record: record["progress"].update(step="11")),
    "random state that is no base64": edit(lambda record: record["random_states"].update(cpu="!")),
    "random state cut short": edit(lambda record: record["random_states"].update(cpu="AAAA")),
    "random state of another device": edit(lambda record: record.update(random_states={})),
}


@pytest.mark.parametrize("fields", [{"version": 2}, {"version": 2, "progress": None, "seed": 7}])
def test_a_checkpoint_of_another_version_says_what_to_do(fields: dict[str, Any], checkpoint: CheckpointFolder) -> None:
    interrupt(checkpoint)
    edit(lambda record: record.update(fields))(checkpoint.path)
    message = (
        "is a checkpoint of version 2, and this adaptkit .* Delete .* or finish the run with the adaptkit that began"
    )
    with pytest.raises(CheckpointError, match=message):
        small_run(checkpoint=checkpoint).run.run(Silent(), resume=True)


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


def test_where_auto_stands_for_another_type_a_run_is_not_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without anchors: their numbers would tell it too.
    arguments = {**OPTIONS, "anchor": 0.0, "backbone": tiny_model(), "output": tmp_path / "sw"}
    with monkeypatch.context() as patch:
        patch.setattr("adaptkit.backbones.precision.has_fast_bfloat16", lambda _: False)
        train_and_interrupt(after=11, **arguments)
    monkeypatch.setattr("adaptkit.backbones.precision.has_fast_bfloat16", lambda _: True)
    with pytest.raises(CheckpointError, match=r"another run: precision was fp32, now bf16\."):
        train_adapter(**arguments, resume=True)
    # What it stood for can be said anywhere.
    train_adapter(**arguments, resume=True, precision="fp32")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == SAVED


def full_disk(*_: object, **__: object) -> None:
    raise OSError("disk full")


def test_a_failing_save_leaves_a_checkpoint_to_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = {**OPTIONS, "backbone": tiny_model(), "output": tmp_path / "sw", "checkpoint_every": 5}
    with monkeypatch.context() as patch:
        patch.setattr("adaptkit.storage.Adapter.save", full_disk)
        with pytest.raises(OSError, match="disk full"):
            train_adapter(**arguments)
    assert (tmp_path / "sw.checkpoint").exists()
    train_adapter(**arguments, resume=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == SAVED


def test_all_that_an_optimizer_keeps_lies_beside_its_weight() -> None:
    """As a GPU's fused kernel needs it; here on torch's device without memory, as any other than the CPU."""
    weight = torch.nn.Parameter(torch.ones(2, 3, device="meta"))
    optimizer = torch.optim.AdamW([weight])
    names = ("weights", "best", "moment1", "moment2")
    saved = {f"{name}.w": torch.ones(2, 3) for name in names} | {"count.w": torch.ones(1)}
    TrainingState({"w": weight}, optimizer).restore(saved)
    assert {name: kept.device for name, kept in optimizer.state[weight].items()} == dict.fromkeys(
        ("step", "exp_avg", "exp_avg_sq"), weight.device
    )
