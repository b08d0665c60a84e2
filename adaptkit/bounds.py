"""Between what a number lies."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from adaptkit.errors import ConfigError
from adaptkit.terminal.asking import option_name


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The numbers from `least` to `most`, or strictly `above` and `below`; what is None bounds nothing."""

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None

    def wrong(self, number: float) -> str:
        """What a number must be that is not finite, or does not lie there; empty where nothing is wrong."""
        if not math.isfinite(number):
            return "be a finite number"
        return "" if self._hold(number) else self._in_words

    def _hold(self, number: float) -> bool:
        return (
            (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (self.above is None or number > self.above)
            and (self.below is None or number < self.below)
        )

    @property
    def _in_words(self) -> str:
        if self.least is not None and self.most is not None:
            return f"lie between {self.least:,} and {self.most:,}"
        ends = {"at least": self.least, "above": self.above, "at most": self.most, "below": self.below}
        return f"be {' and '.join(f'{words} {end:,}' for words, end in ends.items() if end is not None)}"


def require_within(bounds: Mapping[str, Bounds], **numbers: float | None) -> None:
    """Let the numbers of a call lie where those of their names may; None is left open.

    Raises:
        ConfigError: One does not.
    """
    for name, number in numbers.items():
        if number is not None and (right := bounds[name].wrong(number)):
            raise ConfigError(f"{option_name(name)} must {right}, found {number}.")
