"""Threads sleep while they wait, unless the user has said how they wait."""

import os
import sys

import pytest

from adaptkit.terminal.waiting import let_waiting_threads_sleep, threads_that_wait_sleep

NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")  # put back behind the test, whatever it sets
        monkeypatch.delenv(name)
    monkeypatch.delitem(sys.modules, "torch", raising=False)


def test_nothing_is_set_where_it_is_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", sys)
    let_waiting_threads_sleep()
    assert "OMP_WAIT_POLICY" not in os.environ


def test_they_sleep_where_nothing_is_said() -> None:
    assert not threads_that_wait_sleep()
    let_waiting_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
    assert threads_that_wait_sleep()


@pytest.mark.parametrize("name", NAMES)
def test_what_the_user_has_said_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "active" if name == "OMP_WAIT_POLICY" else "200")
    before = {each: os.environ.get(each) for each in NAMES}
    let_waiting_threads_sleep()
    assert {each: os.environ.get(each) for each in NAMES} == before
    assert not threads_that_wait_sleep()
