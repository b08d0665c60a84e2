"""A training plan on a Ray cluster: `python plan_on_ray.py languages.toml`.

Each adapter is a task of Ray's with a GPU of its own, and waits for those that it builds on. The folder in which this
is started, with plan, texts, outputs and summary, is on a disk that all machines see.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import ray

import adaptkit


# Retries are for a machine that is lost; the training goes on from its checkpoint.
@ray.remote(num_gpus=1, max_retries=3)  # type: ignore[untyped-decorator]
def trained(plan: str, id_: str, folder: str, *_: int) -> int:
    """Train one adapter of a plan and give the command's status; the others are waited for, and not looked at."""
    command = [sys.executable, "-m", "adaptkit", "train", "--plan", plan, "--only", id_]
    return subprocess.run(command, cwd=folder, check=False).returncode  # noqa: S603 - our own command


def main(path: str) -> None:
    """Train all adapters of a plan, and end with a message and status 1 if one is missing."""
    plan = adaptkit.read_plan(path)
    ray.init()
    statuses: dict[str, Any] = {}
    for training in plan:  # each behind those that it needs
        needed = [statuses[id_] for id_ in training.needs]
        statuses[training.id] = trained.remote(path, training.id, str(Path.cwd()), *needed)
    missing = [id_ for id_, status in statuses.items() if ray.get(status) != 0]
    sys.exit(f"missing: {', '.join(missing)}" if missing else 0)


if __name__ == "__main__":
    main(sys.argv[1])
