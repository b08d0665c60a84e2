"""What is said of cores that others use."""

import os

import pytest

from adaptkit.terminal.busy_cores import busy_cores


@pytest.mark.parametrize(("load", "busy"), [(0.3, False), (4.0, False), (9.25, True)])
def test_more_threads_than_cores_are_told(load: float, busy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    said = busy_cores()
    assert (said is not None) is busy
    assert said is None or "9.2 threads wanted the 4 cores" in said


def test_a_system_that_does_not_tell_is_not_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "getloadavg")
    assert busy_cores() is None
