"""What a backbone is wanted for: a task by any of its usual names, and which families can do it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from adaptkit.data.tasks import TASKS
from adaptkit.errors import ConfigError
from adaptkit.format.architectures import Architecture
from adaptkit.task_types import TASK_TYPES

Side = Literal["either", "encoder", "decoder"]


@dataclass(frozen=True)
class Work:
    """A task: its name, the type of its head (None: it has none), what can do it, and what does it better."""

    name: str
    task_type: str | None
    possible: Side = "either"
    better: Side = "encoder"

    @property
    def published_as(self) -> str | None:
        """What publications call it, for a look at their scores."""
        if self.task_type == "classification":
            return "nli" if "nli" in self.name else None
        return {"tagging": "ner", "qa": "qa"}.get(str(self.task_type))

    @property
    def wants_vectors(self) -> bool:
        """Whether vectors of sentences are what it takes."""
        return self.name == "search" or self.task_type == "similarity"

    def why_not(self, row: Architecture) -> str | None:
        """Why a family cannot do it; None where it can."""
        if self.possible == "either" or (self.possible == "decoder") == row.causal:
            return None
        found = "a decoder, which sees no token to the right of a mask" if row.causal else "an encoder"
        return f"{self.name} needs {_A[self.possible]}, and this is {found}"

    def suits(self, row: Architecture) -> bool:
        """Whether the family is of the side that does it better."""
        return self.better == "either" or (self.better == "decoder") == row.causal


_A = {"encoder": "an encoder", "decoder": "a decoder, which writes text"}

_HEADS: Mapping[str, str] = {
    "ner": "tagging",
    "names": "tagging",
    "nli": "classification",
    "sentiment": "classification",
    "topics": "classification",
}
_WITHOUT_HEAD = {
    work.name: work
    for work in (
        Work("search", None),
        Work("fill_mask", None, possible="encoder"),
        Work("generate", None, possible="decoder", better="decoder"),
        Work("translation", None, possible="decoder", better="decoder"),
    )
}


def work_named(name: str) -> Work:
    """The task of this name: a task type, a benchmark, or a usual word such as `ner`.

    Raises:
        ConfigError: There is no such task.
    """
    asked = name.strip().lower().replace("-", "_")
    if asked in _WITHOUT_HEAD:
        return _WITHOUT_HEAD[asked]
    if asked in TASKS:
        return Work(asked, TASKS[asked].task_type)
    kind = _HEADS.get(asked, asked)
    if kind in TASK_TYPES:
        return Work(asked, kind)
    known = [*_HEADS, *(kind for kind in TASK_TYPES if kind not in _HEADS), *_WITHOUT_HEAD]
    raise ConfigError(f"task {name!r} is unknown; known: {', '.join(known)}, and the benchmarks {', '.join(TASKS)}.")
