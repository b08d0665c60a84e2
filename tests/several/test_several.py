"""Two processes learn what one learns, and end together; launched as users launch them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist

import adaptkit
from tests.calls import train_adapter
from tests.recorded import trainings_recorded
from tests.runs import SWAHILI
from tests.several.cases import CASES, DROPPED, GLOSSARY, WITHOUT_GRADIENT
from tests.tiny import tiny_model, tiny_network, tiny_tokenizer

pytestmark = pytest.mark.skipif(
    not (dist.is_available() and dist.is_gloo_available()), reason="this torch has no gloo, by which processes talk"
)

ROOT = Path(__file__).parents[2]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
# --multi_gpu: without a GPU it starts one process otherwise, whatever their number.
ACCELERATE = [
    *(sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"),
    *("--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"),
]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}


@dataclass(frozen=True)
class Job:
    """What two processes left behind and saw."""

    folder: Path
    main: dict[str, Any]
    other: dict[str, Any]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("several")
    done = subprocess.run(  # noqa: S603 - our own
        [*TORCHRUN, "-m", "tests.several.job", str(folder)],
        env={**ENVIRONMENT, "ADAPTKIT_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    main, other = (json.loads((folder / f"{index}.json").read_text()) for index in (0, 1))
    return Job(folder, main, other)


@pytest.mark.parametrize("name", CASES)
def test_two_processes_learn_what_one_learns(name: str, job: Job) -> None:
    with trainings_recorded(torch.device("cpu")):
        alone = train_adapter(**CASES[name], backbone=tiny_model(), progress=False)
    together = adaptkit.load_adapter(job.folder / name)
    assert together.weights_sha256 == job.main["whole"][name] == job.other["whole"][name]
    # What a wrong share or mean would change is a step's size, 5e-4 or more; rounding changes some 1e-6 of it.
    for key, tensor in alone.tensors.items():
        if key not in WITHOUT_GRADIENT.get(name, ()):
            torch.testing.assert_close(together.tensors[key], tensor, rtol=0, atol=2e-5)
    ours, theirs = alone.card.training, together.card.training
    assert ours is not None
    assert theirs is not None
    assert (theirs.steps, theirs.tokens) == (ours.steps, ours.tokens)
    assert theirs.heldout_loss_after == pytest.approx(ours.heldout_loss_after, abs=1e-5)


def test_the_main_process_alone_writes_the_log(job: Job) -> None:
    for name in CASES:
        lines = (job.folder / f"{name}.training_log.jsonl").read_text().splitlines()
        told = [(line["step"], line["loss"] is None) for line in map(json.loads, lines)]
        if name == GLOSSARY:
            assert told == [(0, True)] * 2  # without the glossary and with it
        else:
            assert len(told) == len(set(told)) > 2


def test_ctrl_c_in_one_process_stops_both_at_one_step_with_a_checkpoint(job: Job) -> None:
    for seen in (job.main, job.other):
        assert seen["interrupted"]["error"].startswith("TrainingInterrupted: stopped at step 11 of 14; the checkpoint")
        assert seen["interrupted"]["there"]


def test_a_resumed_run_of_two_is_the_uninterrupted_run_of_two_with_dropout_and_masks(job: Job) -> None:
    assert job.main["interrupted"]["resumed"] == job.main["whole"][DROPPED] == job.other["whole"][DROPPED]


def test_another_number_of_processes_goes_on_to_what_two_learn(job: Job) -> None:
    together = adaptkit.load_adapter(job.folder / DROPPED)
    alone = train_adapter(
        **CASES[DROPPED], backbone=tiny_model(), progress=False, output=job.folder / "left", resume=True
    )
    for key, tensor in together.tensors.items():
        torch.testing.assert_close(alone.tensors[key], tensor, rtol=0, atol=2e-5)


def test_what_fails_in_one_process_fails_in_both(job: Job) -> None:
    told = "ProcessFailed: process {} of the 2 that train together failed: "
    assert "No space left" in job.main["failing_save"]["error"]
    assert job.other["failing_save"]["error"].startswith(told.format(0) + "OSError")
    for seen in (job.main, job.other):
        assert seen["other_text"]["error"].startswith(told.format(1) + "it would train something else")
        assert seen["no_text"]["error"].startswith(told.format(1) + "SourceNotFound")


def test_one_process_learns_a_glossary_and_both_have_it(job: Job) -> None:
    assert (job.main["learned"]["times"], job.other["learned"]["times"]) == (1, 0)
    assert adaptkit.load_adapter(job.folder / GLOSSARY).config.reading.glossary is not None
    assert job.main["learned"]["error"].startswith("OSError: [Errno 12]")
    assert job.other["learned"]["error"].startswith("ProcessFailed: process 0 of the 2 that train together failed: OSE")


def test_frozen_vectors_are_made_once_a_part_by_each(job: Job) -> None:
    assert job.main["encoded"]["rows"] == job.other["encoded"]["rows"] == 30
    for seen in (job.main, job.other):
        assert seen["encoded"]["error_of_vectors"] < 1e-5  # as batches of other shapes differ


def test_memory_that_runs_out_in_one_process_while_encoding_ends_both(job: Job) -> None:
    told = "ProcessFailed: process {} of the 2 that train together failed: OutOfMemory: the memory of"
    main, other = job.main["failing_encoding"], job.other["failing_encoding"]
    assert main["in process 0"].startswith(
        "OutOfMemory: the memory of this machine is not enough for encoding the sent"
    )
    assert other["in process 0"].startswith(told.format(0))
    assert main["in process 1"].startswith(told.format(1))
    assert other["in process 1"].startswith(told.format(1))


def test_processes_that_would_compute_in_other_types_are_refused(job: Job) -> None:
    for seen in (job.main, job.other):
        for error in seen["other_hardware"].values():
            assert error.startswith("ProcessFailed: process 1 of the 2")
            assert "precision is fp32, and bf16 for the main one" in error
            assert "name the precision (precision='fp32'" in error


def test_nothing_else_is_left_behind(job: Job) -> None:
    expected = {*CASES, "interrupted", "left", "cache", "0.json", "1.json"}
    found = {entry.name for entry in job.folder.iterdir() if not entry.name.endswith(".training_log.jsonl")}
    assert found - {"cache"} == expected - {"cache"}


@pytest.fixture
def launched(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A long training by two processes on the command line, which has begun."""
    tiny_network().save_pretrained(tmp_path / "tiny")
    tiny_tokenizer().save_pretrained(tmp_path / "tiny")
    (tmp_path / "sw.txt").write_text("\n".join(SWAHILI), encoding="utf-8")
    options = ["--lang", "sw", "--text", "sw.txt", "--backbone", "tiny", "--batch-size", "8", "--max-steps", "100000"]
    with subprocess.Popen(  # noqa: S603 - our own
        [*ACCELERATE, "-m", "adaptkit", "train", *options, "--output", "sw"],
        env=ENVIRONMENT,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process
        process.kill()


def test_a_preempted_command_ends_with_one_message_and_a_checkpoint(
    launched: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert launched.stdout is not None
    lines = []
    for line in launched.stdout:
        lines.append(line)
        if line.startswith("held-out"):
            launched.send_signal(signal.SIGTERM)
            break
    lines += launched.stdout.readlines()
    assert launched.wait(timeout=60) != 0
    said = "".join(lines)
    assert said.count("objective: mlm") == 1, said
    assert said.count("TrainingInterrupted") == 1, said
    assert "the checkpoint is in sw.checkpoint. Run the same again with --resume" in said
    assert json.loads((tmp_path / "sw.checkpoint" / "checkpoint.json").read_text())["progress"]["step"] > 0
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "sw.checkpoint",
        "sw.training_log.jsonl",
        "sw.txt",
        "tiny",
    ]
