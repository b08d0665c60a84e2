"""The devices of a machine, as places where trainings of a plan run side by side."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from adaptkit.holding import AUTO
from adaptkit.requests.planned import PlannedTraining

_VISIBLE, _THREADS = "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"


@dataclass(frozen=True)
class Machine:
    """What a machine has: the kind of device that `auto` means there, so many NVIDIA GPUs, bytes of memory."""

    device: str
    gpus: int
    memory_bytes: int

    def kind_for(self, training: PlannedTraining) -> str:
        """The kind of device that a training runs on: cuda, mps or cpu."""
        asked = str(training.options.get("device", AUTO))
        return self.device if asked == AUTO else asked

    def places(self, kind: str, processes: int | None) -> list["Place"]:
        """Where trainings of a kind of device run: one a GPU, one on a CPU, or as many as are asked for."""
        if kind == "cuda":
            gpus = _visible(self.gpus)
            return [
                Place(f"GPU {gpus[n % len(gpus)]}", {_VISIBLE: gpus[n % len(gpus)]})
                for n in range(processes or len(gpus))
            ]
        count = processes or 1
        return [Place(kind if count == 1 else f"{kind} {n + 1}", cores_shared_by(count)) for n in range(count)]


@dataclass(frozen=True)
class Place:
    """A device, or a share of the cores, for one training at a time; `environment` is what its process finds set."""

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)


def cores_shared_by(processes: int | None) -> Mapping[str, str]:
    """What a process finds set that has its share of this machine's cores; nothing where the user has set it."""
    if processes is None or processes == 1 or _THREADS in os.environ:
        return {}
    return {_THREADS: str(max(1, _n_cores() // processes))}


def _n_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _visible(count: int) -> list[str]:
    """The GPUs of this process as their driver calls them."""
    named = [name.strip() for name in os.environ.get(_VISIBLE, "").split(",") if name.strip()]
    return named or [str(number) for number in range(max(1, count))]
