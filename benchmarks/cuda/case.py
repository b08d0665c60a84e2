"""A case: something done on a device, and how far from right it came out."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from torch import Tensor

from benchmarks.cuda.draws import DrawnOnCpu
from benchmarks.cuda.place import Place


@dataclass(frozen=True)
class Check:
    """How far one result is from the one expected, as a share of its length, and how far it may be."""

    name: str
    error: float
    limit: float

    @property
    def passed(self) -> bool:
        """False for NaN too."""
        return self.error <= self.limit


@dataclass(frozen=True)
class Outcome:
    """What was checked, and figures that nothing is expected of."""

    checks: tuple[Check, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)


Values: TypeAlias = Callable[[Place], Mapping[str, Tensor]]
Limits: TypeAlias = float | Mapping[str, float]


@dataclass(frozen=True)
class Case:
    """A name that is not used twice, and what is done. `real` says that it takes the embedded backbone."""

    name: str
    run: Callable[[Place], Outcome]
    real: bool = False


def against_cpu(values: Values, limits: Limits) -> Callable[[Place], Outcome]:
    """Run the same on the CPU and on the device, with the same random draws, and compare by name."""

    def run(place: Place) -> Outcome:
        with DrawnOnCpu():
            expected = values(place.cpu)
            with place.meanwhile():
                found = values(place)
        return Outcome(tuple(compared(found, expected, limits)))

    return run


def against_itself(
    values: Callable[[Place], Mapping[str, tuple[Tensor, Tensor]]], limits: Limits
) -> Callable[[Place], Outcome]:
    """Run something on the device that gives pairs of what was found and what it should equal."""

    def run(place: Place) -> Outcome:
        with place.meanwhile():
            pairs = values(place)
        found, expected = ({name: pair[side] for name, pair in pairs.items()} for side in (0, 1))
        return Outcome(tuple(compared(found, expected, limits)))

    return run


def compared(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], limits: Limits) -> list[Check]:
    """A check for each name; what one of them lacks is infinitely far off."""
    checks = []
    for name in dict.fromkeys((*expected, *found)):
        limit = limits if isinstance(limits, float) else limits[name]
        both = name in found and name in expected
        checks.append(Check(name, distance(found[name], expected[name]) if both else math.inf, limit))
    return checks


def distance(found: Tensor, expected: Tensor) -> float:
    """How far two results are apart, as a share of the expected one's length; NaN where a number is none."""
    if found.shape != expected.shape:
        return math.inf
    one, other = found.detach().double().cpu(), expected.detach().double().cpu()
    gap, length = float((one - other).norm()), float(other.norm())
    if length == 0:
        return 0.0 if gap == 0 else math.inf
    return gap / length
