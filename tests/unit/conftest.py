"""Unit tests draw the same random numbers in every run and in every order, and reach no hub but one of this machine."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import close_session, constants

from adaptkit.training import CheckpointFolder
from tests.hub_server import FakeHub, serving

LOCAL = {"127.0.0.1"}


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    before = torch.random.get_rng_state()
    # Without a GPU, torch.manual_seed notes for later, with the whole call stack, what a GPU would be told.
    (torch.manual_seed if torch.cuda.is_available() else torch.default_generator.manual_seed)(0)
    yield
    torch.random.set_rng_state(before)


@pytest.fixture
def checkpoint(tmp_path: Path) -> CheckpointFolder:
    return CheckpointFolder(tmp_path / "sw.checkpoint", {"seed": "0"})


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHub]:
    """A hub of this machine, as HF_ENDPOINT would name it. No other place can be reached, nor a user's token read."""
    home = tmp_path_factory.mktemp("hub-home")
    reached: set[str] = set()
    look_up = socket.getaddrinfo

    def look_up_here(host: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        reached.add(str(host))
        return look_up("127.0.0.1" if host in LOCAL else "nowhere.invalid", *arguments, **options)

    with serving() as served:
        for name, value in {
            "HF_HUB_OFFLINE": False,
            "ENDPOINT": served.url,
            "HF_TOKEN_PATH": str(home / "token"),
            "AGENT_HARNESSES_PATH": str(home / "agents"),
            "HF_HUB_CACHE": str(home / "cache"),
        }.items():
            monkeypatch.setattr(constants, name, value)
        for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr(socket, "getaddrinfo", look_up_here)
        monkeypatch.setattr("huggingface_hub.utils._detect_agent._registry", None)
        close_session()
        yield served
        close_session()
        assert reached <= LOCAL, "something else than the hub was to be reached"
        assert list(home.iterdir()) == []
