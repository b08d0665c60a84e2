"""`adaptkit push` and `adaptkit pull` as a user types them, with a hub on this machine."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hub_server import FakeHub
from tests.unit.interchange.test_hub import REPO, content, saved

Command = Callable[..., Any]

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def test_what_push_prints_is_what_pull_takes(
    hub: FakeHub, adaptkit: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = saved(tmp_path / "sw")
    pushed = adaptkit("push", folder, REPO)
    assert pushed.status == 0, pushed.err
    assert f"language/sw is in {REPO} (private), revision {hub.repos[REPO].branches['main']}" in pushed.out
    assert "states no licence" in pushed.out
    before = content(folder)
    adaptkit("push", saved(folder, seed=2), REPO)

    command = re.search(r"^adaptkit (pull .*) FOLDER$", pushed.out, re.MULTILINE)
    assert command is not None
    pulled = adaptkit(*command[1].split(), tmp_path / "theirs")
    assert pulled.status == 0, pulled.err
    assert content(tmp_path / "theirs") == before != content(folder)
    assert f"revision {command[1].split()[3]}" in pulled.out

    monkeypatch.chdir(tmp_path)
    assert "is in tiny-lang-sw" in adaptkit("pull", REPO).out
    assert content(tmp_path / "tiny-lang-sw") == content(folder)
    refused = adaptkit("pull", REPO)
    assert refused.status == 1
    assert "or --overwrite" in refused.err
    assert adaptkit("pull", REPO, "--overwrite", "--revision", "main").status == 0


def test_public_is_asked_for(hub: FakeHub, adaptkit: Command, tmp_path: Path) -> None:
    folder = saved(tmp_path / "sw")
    assert "(public)" in adaptkit("push", folder, REPO, "--public", "--message", "the first").out
    assert not hub.repos[REPO].private
    refused = adaptkit("push", folder, REPO)
    assert refused.status == 1
    assert refused.err.strip().endswith("If that is meant, give --public.")


def test_a_hub_without_it_is_one_message(hub: FakeHub, adaptkit: Command, tmp_path: Path) -> None:
    outcome = adaptkit("pull", REPO, "--output", tmp_path / "x")
    assert outcome.status == 1
    assert outcome.err.startswith(f"SourceNotFound: {hub.url} has no repository {REPO}")
    assert "Traceback" not in outcome.err
