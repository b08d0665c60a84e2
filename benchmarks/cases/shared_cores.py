"""What threads cost where other work shares the cores: a short training and encoding, under several settings in turn.

`python -m benchmarks.run shared_cores [--beside 1] [--rounds 5]`. A process for each setting is started once and waits;
a round asks each of them in turn, so that a busy moment meets them alike. `--beside` processes do nothing but count.
Times are medians over rounds; elapsed seconds, and seconds of the processor.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.write_results import write_result

_ROOT = Path(__file__).parents[2]
SETTINGS: Mapping[str, tuple[int, Mapping[str, str]]] = {
    "1 thread": (1, {}),
    "2 threads": (2, {}),
    "2 threads, passive": (2, {"OMP_WAIT_POLICY": "passive"}),
    "2 threads, spin 10000": (2, {"GOMP_SPINCOUNT": "10000"}),
}
_NOT_INHERITED = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
Round = dict[str, dict[str, float]]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--beside", type=int, default=1, help="processes that keep a core busy")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with ExitStack() as until_measured:
        children = {name: until_measured.enter_context(_child(*setting)) for name, setting in SETTINGS.items()}
        until_measured.enter_context(_busy(options.beside))
        rounds: dict[str, list[Round]] = {name: [] for name in children}
        for number in range(options.rounds):
            for name, child in children.items():
                rounds[name].append(_asked(child))
                print(f"{number + 1}/{options.rounds}  {name:24s} {rounds[name][-1]}", flush=True)
    found = {name: _medians(each) for name, each in rounds.items()}
    for result in found.values():
        for what in ("train", "encode"):
            result[what]["over one thread"] = round(result[what]["elapsed_s"] / found["1 thread"][what]["elapsed_s"], 2)
    config = {**vars(options), "load_average": os.getloadavg(), "settings": {k: v[1] for k, v in SETTINGS.items()}}
    print(json.dumps(found, indent=1))
    print(write_result("shared_cores", seeds=[0], config=config, measured=found))


@contextmanager
def _child(threads: int, environment: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """A process with this setting that is ready for rounds."""
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    command = [sys.executable, "-m", "benchmarks.peers.shared_cores", str(threads)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, text=True, cwd=_ROOT, env={**inherited, **environment}
    ) as it:
        assert it.stdout is not None
        assert it.stdout.readline() == "ready\n"
        yield it
        it.terminate()


def _asked(child: "subprocess.Popen[str]") -> Round:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("go\n")
    child.stdin.flush()
    found: Round = json.loads(child.stdout.readline())
    return found


@contextmanager
def _busy(count: int) -> Iterator[None]:
    """So many processes that count and do nothing else."""
    beside = [multiprocessing.Process(target=_count, daemon=True) for _ in range(count)]
    for process in beside:
        process.start()
    yield
    for process in beside:
        process.terminate()


def _count() -> None:
    number = 0
    while True:
        number += 1


def _medians(rounds: list[Round]) -> dict[str, dict[str, Any]]:
    return {
        what: {name: round(median(each[what][name] for each in rounds), 3) for name in rounds[0][what]}
        for what in rounds[0]
    }


if __name__ == "__main__":
    main(sys.argv[1:])
