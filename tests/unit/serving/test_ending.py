"""A server that a signal to all of its processes stops: none has anything to say, and what they have is answered."""

import json
import multiprocessing
import os
import signal
import threading
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from adaptkit.serving.server import WaitingAwake
from tests.saved import saved_backbone
from tests.tiny import tiny_model
from tests.unit.serving.conftest import end, free_port, start, wait_until_ready
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


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="there are no process groups")
def test_a_busy_server_whose_processes_are_all_told_to_end_answers_what_it_has(tmp_path: Path) -> None:
    """As a system sends it that ends a service."""
    zoo, backbone, log, port = (
        made_zoo(tmp_path / "zoo", tiny_model()),
        saved_backbone(tmp_path / "tiny-bert"),
        tmp_path / "log",
        free_port(),
    )
    process = start(zoo, f"--backbone={backbone}", "--max-inputs=2000", port=port, log=log)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", process, log)
        with closing(HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
            texts = ["Mbuzi anakula majani. " * 10] * 2000
            body = json.dumps({"model": "language/sw", "input": texts})
            connection.request("POST", "/v1/embeddings", body, {"Content-Type": "application/json"})
            time.sleep(0.1)  # it is being answered then; where it is answered already, nothing is left to lose
            os.killpg(process.pid, signal.SIGTERM)
            answer = connection.getresponse()
            assert answer.status == 200
            assert len(json.load(answer)["data"]) == 2000
        assert process.wait(timeout=60) == 0
    finally:
        end(process)
    assert "Traceback" not in log.read_text()


def test_who_waits_for_an_event_answers_a_signal_that_another_thread_received() -> None:
    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    done = threading.Event()
    other = threading.Thread(target=done.wait)
    before = signal.signal(signal.SIGUSR1, ended)
    with multiprocessing.get_context("fork").Manager() as manager:
        other.start()
        later = threading.Timer(0.3, lambda: signal.pthread_kill(other.ident or 0, signal.SIGUSR1))
        later.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                WaitingAwake(manager.Event()).wait()
        finally:
            done.set()
            other.join()
            signal.signal(signal.SIGUSR1, before)
