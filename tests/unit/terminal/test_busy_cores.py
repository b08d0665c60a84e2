"""What is said of cores that others use."""

import os
import time

import psutil
import pytest

from adaptkit.terminal import busy_cores as module
from adaptkit.terminal.busy_cores import busy_cores


@pytest.mark.parametrize(("load", "busy"), [(0.3, False), (4.0, False), (9.25, True)])
def test_more_threads_than_cores_are_told(load: float, busy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(module, "_own_load", lambda: 2.0)
    said = busy_cores()
    assert (said is not None) is busy
    assert said is None or "besides this work, 7.2 threads wanted the 4 cores" in said


def test_a_processs_own_threads_are_no_other_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (5.0, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(module, "_own_load", lambda: 4.8)
    assert busy_cores() is None


@pytest.mark.parametrize(("age_s", "own"), [(600.0, 3.0), (6.0, 0.2855)])
def test_what_a_process_ran_is_in_the_load_by_its_age(
    age_s: float, own: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = psutil.Process().create_time()
    monkeypatch.setattr(time, "time", lambda: began + age_s)
    monkeypatch.setattr(
        os, "times", lambda: os.times_result((1.5 * age_s, 0.5 * age_s, 0.75 * age_s, 0.25 * age_s, 0.0))
    )
    assert module._own_load() == pytest.approx(own, rel=1e-3)


def test_a_system_that_does_not_tell_is_not_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "getloadavg")
    assert busy_cores() is None
