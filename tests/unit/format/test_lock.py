import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adaptkit.errors import CannotWrite, ConfigError
from adaptkit.format.lock import only_writer

HOLDING = """
import sys, time
from pathlib import Path
from adaptkit.format.lock import only_writer
with only_writer(Path(sys.argv[1]), what="training"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_writer_is_told_who_the_first_one_is(tmp_path: Path) -> None:
    with only_writer(tmp_path / "sw", what="training"):
        with (
            pytest.raises(ConfigError, match=rf"another training writes to .*sw already \(process {os.getpid()} on"),
            only_writer(tmp_path / "sw", what="training"),
        ):
            pass
        with only_writer(tmp_path / "gn", what="training"):
            pass
    assert list(tmp_path.iterdir()) == []


def test_folders_that_were_made_for_the_lock_go_with_it(tmp_path: Path) -> None:
    with only_writer(tmp_path / "in" / "two" / "sw", what="training"):
        assert (tmp_path / "in" / "two").is_dir()
    assert list(tmp_path.iterdir()) == []
    with only_writer(tmp_path / "in" / "sw", what="training"):
        (tmp_path / "in" / "sw").mkdir()
    assert [entry.name for entry in (tmp_path / "in").iterdir()] == ["sw"]


def test_a_writer_that_ends_while_another_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_text = Path.read_text

    def gone_before_it_is_read(path: Path, **options: str) -> str:
        path.unlink()
        return read_text(path, **options)

    with only_writer(tmp_path / "sw", what="training"):
        monkeypatch.setattr(Path, "read_text", gone_before_it_is_read)
        with (
            pytest.raises(ConfigError, match=r"sw already \(another process\)"),
            only_writer(tmp_path / "sw", what="training"),
        ):
            pass


def test_a_file_of_somebody_else_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / ".sw.lock").write_text("mine")
    with only_writer(tmp_path / "sw", what="training"):
        pass
    assert (tmp_path / ".sw.lock").read_text() == "mine"


def test_a_killed_writer_locks_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDING, str(tmp_path / "sw")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:  # noqa: S603
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(ConfigError, match=f"process {other.pid} on"),
            only_writer(tmp_path / "sw", what="training"),
        ):
            pass
        other.send_signal(signal.SIGKILL)
    with only_writer(tmp_path / "sw", what="training"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_place_for_no_lock_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with (
        pytest.raises(CannotWrite, match=r"sw.adaptkit-lock cannot be written"),
        only_writer(tmp_path / "file" / "sw", what="training"),
    ):
        pass
