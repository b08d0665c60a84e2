"""Who a backbone is: sampled weight values, compared with a tolerance."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from adaptkit.errors import ConfigError

Verdict: TypeAlias = Literal["identical", "same weights at another precision", "different"]

_SAME = 1e-6
"""Samples are written with seven digits, so equal values may differ by this share."""

# Largest error of one sampled value, as a share of it: half the spacing of the type's mantissa, and a little. Backbones
# of 8 and 4 bits are sampled before they are quantised.
_ROUNDING: dict[str, float] = {
    "float64": _SAME,
    "float32": _SAME,
    "float16": 2**-11 * 1.05,
    "bfloat16": 2**-8 * 1.05,
    "int8": _SAME,
    "nf4": _SAME,
}
_TINY = 1e-7
"""Below this a half-precision value may be flushed, so errors under it say nothing."""


@dataclass(frozen=True)
class Fingerprint:
    """Sampled values of every tensor of a backbone, by tensor name.

    A merged LoRA changes only some matrices, so every tensor is sampled, norms and biases too. `precision` is the
    torch type the weights had when sampled (`float32`), or what they were quantised to afterwards (`int8`, `nf4`).
    A sample that is NaN, in the one that is compared with, says nothing.

    Raises:
        ConfigError: A precision that the table of bounds does not have.
    """

    precision: str
    samples: Mapping[str, tuple[float, ...]]

    def __post_init__(self) -> None:
        _rounding(self.precision)

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits for messages and cards. Comparing goes by `compare`, which has a tolerance."""
        rounded = {name: [f"{value:.2e}" for value in values] for name, values in sorted(self.samples.items())}
        return hashlib.sha256(json.dumps(rounded).encode()).hexdigest()[:12]

    def compare(self, other: "Fingerprint") -> Verdict:
        """Whether `other` samples the same weights, the same ones rounded to another type, or different ones."""
        if self.samples.keys() != other.samples.keys():
            return "different"
        if self.differing(other):
            return "different"
        return "identical" if self.precision == other.precision else "same weights at another precision"

    def differing(self, other: "Fingerprint") -> list[str]:
        """Names of the tensors whose samples differ, for messages."""
        bound = _bound(self.precision, other.precision)
        return [
            name
            for name in self.samples
            if name not in other.samples or not _close(self.samples[name], other.samples[name], bound)
        ]


def _rounding(precision: str) -> float:
    if precision not in _ROUNDING:
        raise ConfigError(f"weights of type {precision!r} have no bound in the fingerprint table.")
    return _ROUNDING[precision]


def _bound(precision: str, other: str) -> float:
    # Values of one type must be equal; of two types, both may be rounded.
    return _SAME if precision == other else _rounding(precision) + _rounding(other)


def _close(ours: tuple[float, ...], theirs: tuple[float, ...], bound: float) -> bool:
    # The usual case, and the fast one.
    return ours == theirs or (
        len(ours) == len(theirs)
        and all(
            # A row that one of them does not have tells nothing.
            math.isnan(b) or abs(a - b) <= max(abs(a), abs(b)) * bound + (_TINY if bound > 1e-5 else 0.0)
            for a, b in zip(ours, theirs, strict=True)
        )
    )
