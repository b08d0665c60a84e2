"""A worker that has nothing to do keeps no memory that it does not need."""

import ctypes
import os
import sys
from queue import Queue
from typing import Any

import psutil
import pytest

from adaptkit.serving import loop
from adaptkit.serving.spare_memory import give_back

glibc = pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="glibc alone is asked"
)


@glibc
def test_what_was_freed_between_things_in_use_is_given_back() -> None:
    blocks = [bytearray(60_000) for _ in range(2000)]  # too small for memory of their own
    kept = blocks[::50]
    del blocks
    before = psutil.Process().memory_info().rss
    assert give_back()
    assert before - psutil.Process().memory_info().rss > 20 * 2**20
    assert len(kept) == 40


class API:
    """What a loop asks, without a model."""

    max_batch_size = 4

    def predict(self, jobs: list[Any]) -> list[Any]:
        return jobs


def test_a_worker_gives_back_once_when_it_has_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[bool] = []
    monkeypatch.setattr(loop, "give_back", lambda: given.append(True))
    monkeypatch.setattr(loop, "_LOOKED_AFTER_S", 0.01)
    taken: list[list[Any]] = [[], [("queue", "uid", "job")], [], [], [("queue", "uid", "job")], []]
    monkeypatch.setattr(loop, "_taken", lambda *_: taken.pop(0))
    worker, counts = loop.TogetherLoop(), []
    monkeypatch.setattr(worker, "_server_pid", os.getppid(), raising=False)
    monkeypatch.setattr(worker, "put_response", lambda *_: None)
    while taken:
        worker.run(API(), "cpu", 0, Queue(), None, {}, None)
        counts.append(len(given))
    assert counts == [0, 0, 1, 1, 1, 2]
