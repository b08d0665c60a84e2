import signal
import threading
from pathlib import Path

import pytest

from adaptkit.errors import TrainingInterrupted
from adaptkit.terminal.interrupt import InterruptFlag
from adaptkit.training import CheckpointFolder
from tests.calls import train_adapter
from tests.runs import PAIRS, CtrlC, opener, small_run
from tests.tiny import tiny_model


def test_the_first_ctrl_c_sets_the_flag_and_the_second_interrupts() -> None:
    before = signal.getsignal(signal.SIGINT)
    with InterruptFlag() as flag:
        states = [flag.is_set]
        signal.raise_signal(signal.SIGINT)
        states.append(flag.is_set)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert states == [False, True]
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_leave_the_signal_alone() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def look() -> None:
        with InterruptFlag():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [before]


def test_ctrl_c_keeps_a_checkpoint_and_says_how_to_resume(checkpoint: CheckpointFolder) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingInterrupted, match=r"step 11 of 25.*resume=True") as caught:
        small_run(checkpoint=checkpoint).train(CtrlC(after=11))
    assert caught.value.checkpoint == checkpoint.path
    assert checkpoint.exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_sigterm_keeps_a_checkpoint_however_often_it_comes(checkpoint: CheckpointFolder) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(TrainingInterrupted, match=r"step 11 of 25.*resume=True") as caught:
        small_run(checkpoint=checkpoint).train(CtrlC(after=11, times=2, number=signal.SIGTERM))
    assert (caught.value.checkpoint, caught.value.signal_number) == (checkpoint.path, signal.SIGTERM)
    assert checkpoint.step() == 11
    assert signal.getsignal(signal.SIGTERM) is before


def test_among_several_processes_a_second_ctrl_c_changes_nothing() -> None:
    with InterruptFlag(several=True) as flag:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert flag.is_set


def test_ctrl_c_twice_does_not_wait_for_the_step(checkpoint: CheckpointFolder) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        small_run(checkpoint=checkpoint).train(CtrlC(after=1, times=2))
    assert not checkpoint.exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_without_output_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("adaptkit.recipes.train.open_display", opener(CtrlC(after=1)))
    with pytest.raises(TrainingInterrupted, match="nothing was kept, because no output folder was given") as caught:
        train_adapter(lang="sw", parallel=PAIRS, backbone=tiny_model(), max_steps=9, progress=False)
    assert caught.value.checkpoint is None
    assert list(tmp_path.iterdir()) == []
