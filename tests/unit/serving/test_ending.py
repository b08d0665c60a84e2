"""A server that Ctrl-C stops while it loads: its processes all get the signal, and none has anything to say."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.saved import saved_backbone
from tests.tiny import tiny_model
from tests.unit.serving.conftest import end, free_port, start
from tests.zoos import made_zoo

_WORKER_BEGUN_S = 60


def _children(process: int) -> int:
    return len(Path(f"/proc/{process}/task/{process}/children").read_text().split())


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts processes as Linux tells them")
def test_ctrl_c_ends_it_without_a_traceback(tmp_path: Path) -> None:
    zoo, backbone, log = (
        made_zoo(tmp_path / "zoo", tiny_model()),
        saved_backbone(tmp_path / "tiny-bert"),
        tmp_path / "log",
    )
    process = start(zoo, f"--backbone={backbone}", port=free_port(), log=log)
    try:
        until = time.monotonic() + _WORKER_BEGUN_S
        while _children(process.pid) < 3 and time.monotonic() < until:  # manager, resource tracker, worker
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == 0
    finally:
        end(process)
    said = log.read_text()
    assert "Traceback" not in said
    assert said.splitlines()[-1] == "stopped before it was ready"
