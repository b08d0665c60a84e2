"""`adaptkit serve` under load: many clients, many stacks, adapters loaded anew and unloaded meanwhile.

`python -m benchmarks.run serve_load [--seconds 60] [--clients 32] [--stacks 64] [--rank 8] [--workers 1]`: a server on
loopback, the embedded backbone, a zoo of random LoRAs; half of the stacks are two deep. Each client asks for the
vector of one text under one stack, and asks again when it has it. Every answer is compared with the one that the model
alone gives for that text and stack. Adapters that clients use are read anew in turn, and one that nobody asks for is
unloaded and loaded, again and again with a quarter of a second between. Before the clients begin, each stack is asked
for once, so that every adapter was read and tried.
"""

import argparse
import base64
import itertools
import json
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

import adaptkit
from benchmarks.peers.adaptkit_serving import random_adapter
from benchmarks.write_results import write_result

TEXTS = (
    "The clinic behind the market opens at seven.",
    "Our goat has eaten the letter.",
    "Tomorrow the boat leaves before the tide turns, so pack tonight.",
    "The teacher asked everybody to bring a stone, a leaf and a story about their grandmother's house.",
)
SPARE = "domain/spare"
WRONG = 1e-3
"""Of a vector's length: further from the answer of the model alone is wrong."""
_READY_S, _PAUSE_S = 300.0, 0.25
_MEMORY_SAMPLES = 6
Vector = NDArray[np.float32]


@dataclass
class Seen:
    """What clients saw."""

    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    largest_error: float = 0.0
    changes: int = 0


def main(arguments: list[str]) -> None:
    options = parsed(arguments)
    with tempfile.TemporaryDirectory() as folder:
        zoo = Path(folder) / "zoo"
        right = prepared(zoo, options.stacks, options.rank, options.backbone)
        flags = [f"--backbone={options.backbone}"] if options.backbone else []
        with serving(zoo, [*flags, f"--workers={options.workers}"]) as (port, process):
            measured = load(port, process, right, seconds=options.seconds, clients=options.clients)
    print(json.dumps(measured, indent=1))
    print(write_result("serve_load", seeds=[0], config=vars(options), measured=measured))


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--stacks", type=int, default=64)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--backbone", default=None)
    return parser.parse_args(arguments)


def prepared(zoo: Path, n_stacks: int, rank: int, backbone: str | None) -> dict[tuple[str, str], Vector]:
    """Write a zoo, and give the vector of each text under each stack, one at a time by a model alone."""
    model = adaptkit.load_model(backbone)
    half = (n_stacks + 1) // 2
    for number in range(half):
        random_adapter(model, "language", f"x{number}", rank, number).save(zoo / "language" / f"x{number}")
        random_adapter(model, "domain", f"y{number}", rank, 1000 + number).save(zoo / "domain" / f"y{number}")
    random_adapter(model, "domain", SPARE.partition("/")[2], rank, 5000).save(zoo / "domain" / "spare")
    stacks = [f"language/x{n}" for n in range(half)]
    stacks += [f"language/x{n} > domain/y{(n + 1) % half}" for n in range(n_stacks - half)]
    model.attach_zoo(zoo)
    return {(text, stack): model.encode(text, stack=stack).numpy() for stack in stacks for text in TEXTS}


@contextmanager
def serving(zoo: Path, flags: list[str]) -> Iterator[tuple[int, psutil.Process]]:
    """A server of its own, its port and its first process."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = int(place.getsockname()[1])
    command = [sys.executable, "-m", "adaptkit", "serve", str(zoo), f"--port={port}", "--device=cpu", *flags]
    process = subprocess.Popen(command)
    try:
        until = time.monotonic() + _READY_S
        while status(port, "GET", "/health") != 200:
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit("the server did not start")
            time.sleep(0.2)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=120)


def status(port: int, method: str, path: str, body: object = None) -> int:
    """The status of one request on a connection of its own; 0 where nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def load(
    port: int, process: psutil.Process, right: dict[tuple[str, str], Vector], *, seconds: float, clients: int
) -> dict[str, Any]:
    """Ask for so long, and sum up what was seen."""
    seen, asked = Seen(), list(right)
    began = time.monotonic()
    for stack in dict.fromkeys(stack for _, stack in asked):
        status(port, "POST", "/v1/embeddings", {"model": stack, "input": asked[0][0]})
    first_s, until = time.monotonic() - began, time.monotonic() + seconds
    used = sorted({part for _, stack in asked for part in stack.split(" > ")})
    threads = [threading.Thread(target=ask, args=(port, right, asked, n, until, seen)) for n in range(clients)]
    threads.append(threading.Thread(target=change, args=(port, used, until, seen)))
    for thread in threads:
        thread.start()
    held = []
    for _ in range(_MEMORY_SAMPLES):
        held.append(memory_of_each(process))
        time.sleep(seconds / _MEMORY_SAMPLES)
    for thread in threads:
        thread.join()
    held.append(memory_of_each(process))
    n_asked = len(seen.latencies)
    return {
        "requests": n_asked,
        "requests_per_s": round(n_asked / seconds, 1),
        "p50_ms": round(1e3 * float(np.percentile(seen.latencies, 50)), 1),
        "p99_ms": round(1e3 * float(np.percentile(seen.latencies, 99)), 1),
        "wrong_rows": len(seen.wrong),
        "errors": len(seen.errors),
        "first_error": seen.errors[0] if seen.errors else None,
        "largest_error": round(seen.largest_error, 7),
        "least_distance_of_two_stacks": round(least_distance(right), 4),
        "loads_and_unloads": seen.changes,
        "each_stack_first_s": round(first_s, 1),
        "memory_mib": [round(sum(sizes.values())) for sizes in held],
        "memory_mib_of_each": {name: [round(sizes.get(name, 0)) for sizes in held] for name in held[-1]},
    }


def ask(
    port: int,
    right: dict[tuple[str, str], Vector],
    asked: list[tuple[str, str]],
    number: int,
    until: float,
    seen: Seen,
) -> None:
    """One client."""
    draw, connection = random.Random(number), HTTPConnection("127.0.0.1", port, timeout=120)
    while time.monotonic() < until:
        text, stack = draw.choice(asked)
        body = json.dumps({"model": stack, "input": text, "encoding_format": "base64"})
        began = time.perf_counter()
        try:
            connection.request("POST", "/v1/embeddings", body)
            answer = connection.getresponse()
            content = answer.read()
        except OSError as error:
            seen.errors.append(repr(error))
            connection.close()
            continue
        seen.latencies.append(time.perf_counter() - began)
        if answer.status != 200:
            seen.errors.append(content.decode())
            continue
        apart = distance(decoded(json.loads(content)), right[text, stack])
        seen.largest_error = max(seen.largest_error, apart)
        if apart > WRONG:
            seen.wrong.append(f"{stack}: {text}")
    connection.close()


def change(port: int, used: list[str], until: float, seen: Seen) -> None:
    """Read adapters anew, one after another, and let one go and come."""
    for name in itertools.cycle(used):
        if time.monotonic() >= until:
            return
        for path, each in (("load", name), ("unload", SPARE), ("load", SPARE)):
            if (found := status(port, "POST", f"/v1/{path}_lora_adapter", {"lora_name": each})) != 200:
                seen.errors.append(f"{path} {each}: {found}")
            seen.changes += 1
        time.sleep(_PAUSE_S)


def decoded(answer: Any) -> Vector:  # noqa: ANN401 - JSON
    content = base64.b64decode(answer["data"][0]["embedding"])
    return np.array(struct.unpack(f"<{len(content) // 4}f", content), dtype=np.float32)


def distance(found: Vector, right: Vector) -> float:
    """Between two vectors, as a share of the second one's length."""
    return float(np.linalg.norm(found - right) / np.linalg.norm(right))


def least_distance(right: dict[tuple[str, str], Vector]) -> float:
    """Between two stacks on one text: what tells a wrong row from rounding."""
    by_text: dict[str, list[Vector]] = {}
    for (text, _), vector in right.items():
        by_text.setdefault(text, []).append(vector)
    pairs = (pair for vectors in by_text.values() for pair in itertools.combinations(vectors, 2))
    return min((distance(*pair) for pair in pairs), default=float("inf"))


def memory_of_each(process: psutil.Process) -> dict[str, float]:
    """What each of the server's processes holds, in MiB, what they share counted once, in the order of their starts.

    The one that answers HTTP and the one that has the backbone are told apart by how much they hold.
    """
    every = [process, *sorted(process.children(recursive=True), key=lambda each: each.create_time())]
    return {f"process {turn}": getattr(each.memory_full_info(), "pss", 0) / 2**20 for turn, each in enumerate(every)}
