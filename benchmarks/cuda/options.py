"""What can be asked of a run. Nothing here needs torch, so that the supervisor starts at once."""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

DEAD = 75
"""How a worker ends whose device answers no more."""
LATE = 74
"""How a worker ends that had no time for all cases."""


@dataclass(frozen=True)
class Options:
    """A device, the result file, the time at which it must be done, and a part of the names of the cases wanted."""

    device: str
    output: Path
    until: float
    only: str

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
        found = parser.parse_args(arguments)
        until = time.time() + 60 * found.minutes if found.until is None else found.until
        return cls(found.device, found.output, until, found.only)

    @property
    def arguments(self) -> list[str]:
        """The same as a command line, for a worker."""
        return [f"--device={self.device}", f"--output={self.output}", f"--until={self.until}", f"--only={self.only}"]

    def wants(self, name: str) -> bool:
        """Whether a case was asked for."""
        return self.only in name
