"""`adaptkit serve`."""

import os
import platform
import signal
import socket
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import BackboneOption, BitsOption, DeviceOption, EmbeddingsOption
from adaptkit.cli.options import with_options
from adaptkit.errors import ConfigError
from adaptkit.holding import AUTO, require_bits
from adaptkit.requests import Pretrained
from adaptkit.serving.limits import Limits
from adaptkit.terminal.amounts import counted
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.plain_text import told_at
from adaptkit.version import install_command

if TYPE_CHECKING:
    from adaptkit.serving.shelf import Shelf

KEY_VARIABLE = "ADAPTKIT_API_KEY"
_HOSTS = ("127.0.0.1", "0.0.0.0", "::")  # noqa: S104 - by default, this machine alone
_MIB = 2**20
_console = PlainConsole(stderr=True)


def serve_flags() -> Callable[..., Answer | None]:
    """The command, with a flag for every bound of `Limits`."""
    return with_options(_serve, "limits", Limits)


def _serve(
    limits: Limits,
    zoo: Annotated[
        Path | None, typer.Argument(help="folder or archive with the adapters that requests may name")
    ] = None,
    zoo_option: Annotated[
        Path | None, typer.Option("--zoo", metavar="<folder>", help="the same, as other commands name it")
    ] = None,
    host: Annotated[
        str, typer.Option(help="127.0.0.1 (this machine alone), 0.0.0.0 or :: (all that reach it)", metavar="<address>")
    ] = _HOSTS[0],
    port: Annotated[int, typer.Option(help="port, from 1024 on")] = 8000,
    backbone: BackboneOption = None,
    bits: BitsOption = 32,
    embeddings: EmbeddingsOption = None,
    device: DeviceOption = AUTO,
    workers: Annotated[int, typer.Option(help="processes for each device, each with a backbone of its own")] = 1,
    batch_size: Annotated[int, typer.Option(help="inputs that are answered together")] = 32,
    cache_mib: Annotated[int, typer.Option(help="MiB of adapters that each worker keeps in memory")] = 256,
    preload: Annotated[
        bool,
        typer.Option(
            "--preload",
            help="read and check adapters before it is ready, not when first named: all that fit into --cache-mib",
        ),
    ] = False,
    slots: Annotated[
        int | None,
        typer.Option(
            help="places in banks, by which one graph serves every mixture of adapters; 64 on CUDA, else 0: no banks"
        ),
    ] = None,
    log_level: Annotated[str, typer.Option(help="critical, error, warning, info or debug")] = "warning",
) -> None:
    """Serve a zoo over HTTP, under any stack of adapters. With OpenAI's embeddings, heads, and a page to try.

    If ADAPTKIT_API_KEY holds a key, every request must have it.
    """
    if find_spec("litserve") is None:
        raise ConfigError(f"adaptkit serve needs LitServe: {install_command('serve')}.")
    _require_place(host, port)
    from adaptkit.serving.api import ZooAPI
    from adaptkit.serving.server import ZooServer
    from adaptkit.serving.shelf import Shelf
    from adaptkit.serving.spec import ZooSpec

    served = _one_zoo(zoo, zoo_option)
    shelf = Shelf(served.absolute())
    for name, error in shelf.broken.items():
        _console.print(f"left out, as it cannot be read: {told_at(name, error)}")
    key = os.environ.get(KEY_VARIABLE, "")
    held = Pretrained(backbone, bits=require_bits(bits), embeddings=embeddings, device=device)
    spec = ZooSpec(shelf, limits)
    if (writing := _not_served(shelf)) is not None:
        _console.print(writing)
    api = ZooAPI(
        shelf.path,
        held,
        spec,
        api_key=key,
        batch_size=batch_size,
        cache_bytes=cache_mib * _MIB,
        slots=slots,
        preload=preload,
    )
    accelerator, devices = _devices(device)
    _console.print(_plan(host, port, has_key=bool(key)))
    server = ZooServer(
        api,
        limits,
        host=host,
        accelerator=accelerator,
        devices=devices,
        workers=workers,
        on_ready=lambda: _console.print(f"ready: {counted(len(list(shelf.served)), 'adapter')} of {served}"),
    )
    _end_by(signal.SIGINT, signal.SIGTERM)
    try:
        server.serve(port, log_level=log_level)
    except KeyboardInterrupt:
        _console.print("stopped before it was ready")


def _one_zoo(*named: Path | None) -> Path:
    """The zoo that was named, in either way."""
    zoos = [zoo for zoo in named if zoo is not None]
    if len(zoos) != 1:
        found = "none is named" if not zoos else f"two are: {zoos[0]} and {zoos[1]}"
        raise ConfigError(f"a server serves one zoo, and {found}. Give one: adaptkit serve FOLDER, or --zoo FOLDER.")
    return zoos[0]


def _not_served(shelf: "Shelf") -> str | None:
    """What of the zoo is not served, in a sentence; None where all is."""
    from adaptkit.task_types import TASK_TYPES

    heads = {each.id: each.facts.head for each in shelf.served}
    writing = [name for name, head in heads.items() if head is not None and TASK_TYPES.require(head).writes]
    if not writing:
        return None
    return (
        f"not served: {', '.join(writing)}, whose answers the backbone writes word by word; for these, "
        "adaptkit predict reads lines, and model.predict lists, in Python."
    )


def _require_place(host: str, port: int) -> None:
    """Let an address be one that a server can take."""
    if host not in _HOSTS:
        raise ConfigError(f"--host is {', '.join(_HOSTS[:-1])} or {_HOSTS[-1]}, found {host!r}.")
    if not 1024 <= port <= 65_535:
        raise ConfigError(f"--port is from 1024 to 65535, found {port}.")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            place.bind((host, port))
        except OSError as error:
            raise ConfigError(
                f"port {port} of {host} cannot be taken ({error.strerror}). Give another: --port."
            ) from error


def _plan(host: str, port: int, *, has_key: bool) -> str:
    """Where it will answer, to whom."""
    key = f"with the key in {KEY_VARIABLE}" if has_key else f"without a key ({KEY_VARIABLE} would set one)"
    if host == _HOSTS[0]:
        return f"http://{host}:{port}: answers this machine alone (--host 0.0.0.0: others too), {key}; loading ..."
    warning = "" if has_key else " Whoever reaches this machine can use it, load and unload."
    return f"http://{host}:{port}: answers every machine that reaches it, {key}.{warning} Loading ..."


def _devices(asked: str) -> tuple[str, str | int | list[int]]:
    """What LitServe calls a device."""
    kind, _, number = asked.partition(":")
    if kind not in (AUTO, "cpu", "cuda", "mps") or (number and not number.isdigit()):
        raise ConfigError(f"there is no device {asked!r}; give auto, cpu, cuda, cuda:N or mps.")
    if kind == AUTO:
        kind = _best_device()
    return kind, [int(number)] if number else AUTO


def _best_device() -> str:
    """What auto stands for here, found without torch, which this process does not need."""
    from litserve.connector import check_cuda_with_nvidia_smi

    if check_cuda_with_nvidia_smi():
        return "cuda"
    return "mps" if (platform.system(), platform.machine()) == ("Darwin", "arm64") else "cpu"


def _end_by(*signals: int) -> None:
    """Let what ends a server in a container end it as the keyboard does, and its processes without a word."""
    main = os.getpid()

    def ended(*_: object) -> NoReturn:
        if os.getpid() != main:
            sys.exit(0)
        for number in signals:
            # Once is enough. A second one may have come already: to ignore that is an error of its own in Python.
            signal.signal(number, lambda *_: None)
        raise KeyboardInterrupt

    for number in signals:
        signal.signal(number, ended)
