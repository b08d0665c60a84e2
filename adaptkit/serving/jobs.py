"""What the process that speaks HTTP asks of a worker, and what comes back. All of it travels between processes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from adaptkit.serving.refusal import Refusal

EMBEDDINGS = "embeddings"


@dataclass(frozen=True)
class Roster:
    """What changed since the start: adapters that are not served, and how often each was read anew.

    The process that speaks HTTP makes it, and each job brings it, so that every worker follows before it answers.
    """

    number: int = 0
    unloaded: frozenset[str] = frozenset()
    turns: Mapping[str, int] = field(default_factory=dict)

    def without(self, adapter_id: str) -> "Roster":
        """The same, and this one is not served."""
        return replace(self, number=self.number + 1, unloaded=self.unloaded | {adapter_id})

    def with_new(self, adapter_id: str) -> "Roster":
        """The same, and this one is served, as its files are now."""
        turns = {**self.turns, adapter_id: self.turns.get(adapter_id, 0) + 1}
        return Roster(self.number + 1, self.unloaded - {adapter_id}, turns)


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Inputs for vectors or for heads, each with its stack or ensemble in whole ids ("": the backbone alone).

    `inputs` are texts for vectors, else examples of the stack's task type. With `cut`, what is too long is cut. At
    `deadline`, by the monotonic clock, nobody waits any more. Of vectors, `prefix` stands before each text in place of
    the backbone's own, and with `normalize` each has length 1.
    """

    endpoint: str
    inputs: tuple[Any, ...]
    stacks: tuple[str, ...]
    roster: Roster
    cut: bool = False
    deadline: float = float("inf")
    prefix: str | None = None
    normalize: bool = False


@dataclass(frozen=True)
class Describe:
    """Which backbone it is, and which adapters of the zoo are for it."""

    roster: Roster
    deadline: float = float("inf")


@dataclass(frozen=True)
class Load:
    """Read an adapter of the zoo, and let it be proven on the backbone."""

    adapter_id: str
    roster: Roster
    deadline: float = float("inf")


@dataclass(frozen=True)
class Follow:
    """Only follow the roster: what is unloaded gives its memory back."""

    roster: Roster
    deadline: float = float("inf")


Job: TypeAlias = Ask | Describe | Load | Follow


@dataclass(frozen=True)
class Vectors:
    """Vectors one behind the other as float32 in little-endian order, and tokens read."""

    width: int
    values: bytes
    n_tokens: int


@dataclass(frozen=True)
class Answers:
    """What heads answered, and tokens read."""

    answers: tuple[Any, ...]
    n_tokens: int


@dataclass(frozen=True, kw_only=True)
class Described:
    """The backbone's name, its vectors' width, the most tokens of a text, and why some adapters are not served.

    Those are for other backbones, or were found not to be sound.
    """

    backbone: str
    width: int
    n_tokens: int
    left_out: Mapping[str, Refusal]


@dataclass(frozen=True)
class Done:
    """It was done."""


Reply: TypeAlias = Vectors | Answers | Described | Done | Refusal
