"""What a backbone is wanted for: a task by any of its usual names, and which families can do it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from adaptkit.data.tasks import TASKS
from adaptkit.errors import ConfigError
from adaptkit.format.architectures import Architecture
from adaptkit.task_types import TASK_TYPES

Kind = Literal["encoder", "decoder", "encoder-decoder"]
Side = Literal["any", "reads", "writes", "translates"]
_SIDES: Mapping[Side, Sequence[Kind]] = {
    "any": ("encoder", "decoder", "encoder-decoder"),
    "reads": ("encoder", "encoder-decoder"),
    "writes": ("decoder", "encoder-decoder"),
    "translates": ("encoder-decoder",),
}
"""What is asked of a family, and the kinds of which that is so."""


def kind_of(row: Architecture) -> Kind:
    """What a family is."""
    return "encoder-decoder" if row.decoder is not None else "decoder" if row.causal else "encoder"


@dataclass(frozen=True)
class Work:
    """A task: its name, the type of its head (None: it has none), what can do it, and what does it better."""

    name: str
    task_type: str | None
    possible: Sequence[Kind] = _SIDES["any"]
    better: Sequence[Kind] = _SIDES["reads"]

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
        kind = kind_of(row)
        return None if kind in self.possible else f"{self.name} needs {_listed(self.possible)}, and this is {_a(kind)}"

    def suits(self, row: Architecture) -> bool:
        """Whether the family is of the side that does it better."""
        return kind_of(row) in self.better


def _listed(kinds: Sequence[Kind]) -> str:
    return " or ".join(map(_a, kinds))


def _a(kind: Kind) -> str:
    return f"{'a' if kind == 'decoder' else 'an'} {kind}"


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
        Work("fill_mask", None, possible=("encoder",)),
        Work("generate", None, possible=_SIDES["writes"], better=_SIDES["writes"]),
        Work("translation", None, possible=_SIDES["writes"], better=_SIDES["translates"]),
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
