"""A real server on loopback, with a small zoo of random adapters on a tiny backbone."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import pytest

from adaptkit import load_model
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig
from tests.adapters import random_adapter
from tests.saved import saved_backbone
from tests.zoos import LORA, made_zoo

_READY_S, _ENDED_S = 120, 60
HEADS = {
    "ner": HeadConfig(task_type="tagging", labels=("O", "B-PER", "I-PER")),
    "qa": HeadConfig(task_type="qa"),
    "near": HeadConfig(task_type="similarity"),
}


@dataclass(frozen=True)
class Served:
    """A running server, its zoo, and the same backbone in this process, which answers one row at a time."""

    url: str
    zoo: Path
    model: AdaptedModel
    log: Path

    @property
    def base(self) -> str:
        return f"{self.url}/v1"


def served_zoo(folder: Path, backbone: Path) -> Path:
    model = load_model(backbone)
    zoo = made_zoo(folder, model)
    random_adapter(model, LORA, name="ha", seed=4).save(zoo / "ha")
    for seed, (name, head) in enumerate(HEADS.items()):
        config = AdapterConfig(method=LoraConfig(rank=2, sites=("attention.query",)), head=head)
        random_adapter(model, config, kind="task", name=name, seed=seed).save(zoo / "task" / name)
    return zoo


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


def start(*arguments: object, port: int, log: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "adaptkit", "serve", *map(str, arguments), f"--port={port}", "--device=cpu"]
    environment = {**os.environ, "ADAPTKIT_API_KEY": "", "OMP_NUM_THREADS": "1"}
    with log.open("wb") as said:
        return subprocess.Popen(command, env=environment, stderr=said, start_new_session=True)  # noqa: S603


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _READY_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(log.read_text())
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:  # noqa: S310 - of this machine
                if answer.status == 200:
                    return
        except URLError:
            time.sleep(0.05)
    raise AssertionError("the server was not ready in time")


def end(process: "subprocess.Popen[bytes]") -> None:
    """Let it end, and see that nothing of it is left."""
    process.send_signal(signal.SIGTERM)
    try:
        assert process.wait(timeout=_ENDED_S) == 0
        assert _is_gone(process.pid), "the server has ended, and left a process behind"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _is_gone(group: int) -> bool:
    until = time.monotonic() + _ENDED_S
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server, without a key."""
    folder = tmp_path_factory.mktemp("served")
    backbone = saved_backbone(folder / "tiny-bert")
    zoo, port = served_zoo(folder / "zoo", backbone), free_port()
    other = load_model(saved_backbone(folder / "other", seed=7))
    random_adapter(other, LORA, name="yo").save(zoo / "yo")
    log, url = folder / "log", f"http://127.0.0.1:{port}"
    bounds = ("--max-body-bytes=65536", "--max-inputs=40", "--max-characters=3000")
    process = start("--zoo", zoo, f"--backbone={backbone}", *bounds, port=port, log=log)
    model = load_model(backbone)
    try:
        wait_until_ready(url, process, log)
        yield Served(url, zoo, model, log)
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it
        end(process)
    assert "Traceback" not in log.read_text()
