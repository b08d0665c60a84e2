"""Compositions of adapters: frozen values without tensors, printable and parsable.

language/sw > domain/biomedical > task/nli
average(language/sw: 0.5, language/rw: 0.5) > task/nli
fuse(language/sw, language/en) > task/nli
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from adaptkit.composition.adapter_id import AdapterId
from adaptkit.config import KINDS
from adaptkit.errors import ConfigError


@dataclass(frozen=True, init=False)
class Stack:
    """Parts in the order in which they act: language, then domain, then task.

    LoRA layers at one site are additive (`Wx + dA x + dB x`); bottlenecks are sequential (the later one reads the
    earlier one's output). A part is an adapter id, a bare name, or another composition. `any_order=True` lifts the
    check of the order.

    Raises:
        ConfigError: An id that is none, the same id twice, kinds out of order, or a part that is none.
    """

    parts: tuple["Part", ...]
    any_order: bool = field(compare=False)

    def __init__(self, *parts: "Part", any_order: bool = False) -> None:
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "any_order", any_order)
        _require_parts(parts)
        ids = self.ids
        if len(set(ids)) != len(ids):
            raise ConfigError(f"the stack names an adapter twice: {self}.")
        ranks = [_ranks(part) for part in parts]
        known = [span for span in ranks if span is not None]
        if not any_order and any(below[1] > above[0] for below, above in pairwise(known)):
            raise ConfigError(
                f"the stack {self} is out of order: language adapters come first, then domain, then task, because each "
                "was trained on what lies below it. Reorder it, or say any_order=True."
            )

    @property
    def ids(self) -> tuple[str, ...]:
        """Every adapter named, in the order in which they stand."""
        return tuple(name for part in self.parts for name in ids_of(part))

    @classmethod
    def parse(cls, text: str, *, any_order: bool = False) -> "Stack":
        """Read what `str(stack)` prints.

        Raises:
            ConfigError: Anything else.
        """
        # The parser builds these values, so it cannot be imported above them.
        from adaptkit.composition.parser import parse_stack

        return parse_stack(text, any_order=any_order)

    def __str__(self) -> str:
        return " > ".join(map(str, self.parts))


@dataclass(frozen=True, init=False)
class Average:
    """The layers' contributions averaged by given weights; A and B tensors are never averaged.

    At every site, `y + sum(weight * (part(y) - y))`. One part at weight 1 is that part exactly. Weights may be given by
    name (`Average({"language/sw": 0.7, "language/rw": 0.3})`), or be left out for equal ones.

    Raises:
        ConfigError: No part, a part twice, or a weight that is not a finite number.
    """

    parts: tuple["Part", ...]
    weights: tuple[float, ...]

    def __init__(self, *parts: "Part | Mapping[str, float]", weights: tuple[float, ...] | None = None) -> None:
        named = [part for part in parts if isinstance(part, Mapping)]
        if named and (len(parts) > 1 or weights is not None):
            raise ConfigError("Average takes one mapping of names to weights, or parts with weights=(...), not both.")
        chosen = tuple(named[0]) if named else tuple(part for part in parts if not isinstance(part, Mapping))
        given = tuple(named[0].values()) if named else weights
        values = (1 / max(len(chosen), 1),) * len(chosen) if given is None else given
        object.__setattr__(self, "parts", chosen)
        object.__setattr__(self, "weights", tuple(map(float, values)))
        _check_distinct("Average", self.parts)
        if len(self.weights) != len(self.parts) or not all(map(math.isfinite, self.weights)):
            raise ConfigError(f"Average needs one finite weight for each of {len(self.parts)} parts, found {given}.")

    def __str__(self) -> str:
        return f"average({', '.join(f'{p}: {w!r}' for p, w in zip(self.parts, self.weights, strict=True))})"


def at_strength(part: str, strength: float) -> "str | Average":
    """A part of a stack that adds this share of what an adapter adds; at 1 the adapter itself."""
    return part if strength == 1 else Average(part, weights=(strength,))


@dataclass(frozen=True, init=False)
class Fuse:
    """Learned attention over several adapters (AdapterFusion, Pfeiffer et al. 2021, arXiv:2005.00247).

    Its own weights are a trained adapter that must be attached too.

    Raises:
        ConfigError: Fewer than two parts, or a part twice.
    """

    parts: tuple[str, ...]

    def __init__(self, *parts: str) -> None:
        object.__setattr__(self, "parts", parts)
        _check_distinct("Fuse", parts)
        if len(parts) < 2:
            raise ConfigError("Fuse needs at least two adapters to choose among.")

    def __str__(self) -> str:
        return f"fuse({', '.join(self.parts)})"


Composition: TypeAlias = Stack | Average | Fuse
Part: TypeAlias = str | Stack | Average | Fuse


def ids_of(part: Part) -> Iterator[str]:
    """Every adapter that a part names."""
    if isinstance(part, str):
        yield part
    else:
        for inner in part.parts:
            yield from ids_of(inner)


def resolved(part: Part, name: Callable[[str], str], fusion: Callable[[Fuse], str]) -> Part:
    """The same composition with whole ids, and a fusion's own adapter for `Fuse`; its order is checked again."""
    if isinstance(part, str):
        return name(part)
    if isinstance(part, Fuse):
        return fusion(Fuse(*map(name, part.parts)))
    inner = tuple(resolved(each, name, fusion) for each in part.parts)
    if isinstance(part, Average):
        return Average(*inner, weights=part.weights)
    return Stack(*inner, any_order=part.any_order)


def _ranks(part: Part) -> tuple[int, int] | None:
    """The lowest and highest kind in a part; None where only bare names stand, which the model resolves."""
    ranks = [KINDS.index(AdapterId.parse(name).kind) for name in ids_of(part) if "/" in name]
    return (min(ranks), max(ranks)) if ranks else None


def _require_parts(parts: Iterable[object]) -> None:
    for part in parts:
        if not isinstance(part, Part):
            raise ConfigError(
                f"a part of a composition is a name, a Stack, an Average or a Fuse, found {type(part).__name__}. "
                "An ensemble stands alone: its '|' is between whole stacks, as in 'topics | sw > topics'."
            )


def _check_distinct(what: str, parts: tuple[Part, ...]) -> None:
    _require_parts(parts)
    names = [name for part in parts for name in ids_of(part)]
    if not names or len(set(names)) != len(names):
        raise ConfigError(f"{what} needs different adapters, found {', '.join(names) or 'none'}.")
    for name in names:
        if "/" in name:
            AdapterId.parse(name)
