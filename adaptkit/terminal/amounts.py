"""How messages and reports write amounts."""

import math


def bytes_text(count: int) -> str:
    """`812 KiB`, `1.3 MiB`, `1,204 MiB`."""
    if count < 2**20:
        return f"{count / 2**10:,.0f} KiB" if count >= 2**10 else f"{count} B"
    return f"{count / 2**20:,.{1 if count < 100 * 2**20 else 0}f} MiB"


def counted(count: int, noun: str, several: str | None = None) -> str:
    """`1 seed`, `3 seeds`; `several` is the noun's plural where it is another one (`entries`)."""
    return f"{count:,} {noun if count == 1 else several or f'{noun}s'}"


def row_of(number: int, what: str) -> str:
    """`row 3 of the queries`, as a person counts; `number` counts from 0."""
    return f"row {number + 1:,} of the {what}"


def time_text(seconds: float) -> str:
    """`40 s`, `2 min 5 s`, `12 min`, `3.5 h`; `an unknown time` for what is not a number of seconds."""
    shown = shown_seconds(seconds)
    if not math.isfinite(shown):
        return "an unknown time"
    if shown < _IN_SECONDS:
        return f"{shown} s"
    if shown < _IN_MINUTES_AND_SECONDS:
        minutes, rest = divmod(shown, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{shown / 60:.0f} min" if shown < _IN_MINUTES else f"{shown / 3600:.1f} h"


def shown_seconds(seconds: float) -> float:
    """The time that `time_text` shows, in seconds: a sum of such is what a reader adds up."""
    if not math.isfinite(seconds):
        return seconds
    step = next(step for most, step in _STEPS if seconds < most)
    return round(seconds / step) * step


_IN_SECONDS, _IN_MINUTES_AND_SECONDS, _IN_MINUTES = 90, 600, 5400
_STEPS = ((_IN_SECONDS, 1), (_IN_MINUTES_AND_SECONDS, 5), (_IN_MINUTES, 60), (float("inf"), 360))
