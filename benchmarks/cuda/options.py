"""What can be asked of a run. Nothing here needs torch, so that the supervisor starts at once."""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

DEAD = 75
"""How a worker ends whose device answers no more."""
LATE = 74
"""How a worker ends that had no time for all cases."""


@dataclass(frozen=True)
class Options:
    """A device, the result file, the time at which it must be done, and a part of the names of the cases wanted.

    Of so many `workers`, this is the one with the number `worker`; each runs its share of the cases.
    """

    device: str
    output: Path
    until: float
    only: str
    workers: int = 1
    worker: int = 0

    @classmethod
    def of(cls, arguments: list[str]) -> "Options":
        """Read a command line."""
        parser = argparse.ArgumentParser(prog="python -m benchmarks.cuda", description=__doc__)
        parser.add_argument(
            "--device", default="cuda:0", help="what is looked at (cuda:0); cpu tries the cases themselves"
        )
        parser.add_argument("--output", type=Path, default=Path("build/cuda.json"), help="the result (build/cuda.json)")
        parser.add_argument("--minutes", type=float, default=5.0, help="no case is begun later (5)")
        parser.add_argument("--until", type=float, help=argparse.SUPPRESS)
        parser.add_argument("--only", default="", help="cases with this in their names")
        parser.add_argument("--workers", type=int, default=1, help="processes that share the cases; no speed is told")
        parser.add_argument("--worker", type=int, default=0, help=argparse.SUPPRESS)
        found = parser.parse_args(arguments)
        until = time.time() + 60 * found.minutes if found.until is None else found.until
        return cls(found.device, found.output, until, found.only, found.workers, found.worker)

    @property
    def arguments(self) -> list[str]:
        """The same as a command line, for a worker."""
        named = ("device", "output", "until", "only", "workers", "worker")
        return [f"--{name}={getattr(self, name)}" for name in named]

    @property
    def shares(self) -> "list[Options]":
        """Those of each worker, which has a result file of its own."""
        if self.workers == 1:
            return [self]
        names = (f"{self.output.stem}-{worker}{self.output.suffix}" for worker in range(self.workers))
        return [replace(self, output=self.output.with_name(name), worker=worker) for worker, name in enumerate(names)]

    def of_share(self, names: Sequence[str]) -> list[str]:
        """The cases that were asked for, and are this worker's."""
        return [name for name in names if self.only in name][self.worker :: self.workers]
