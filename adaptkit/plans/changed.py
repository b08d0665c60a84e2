"""The options of a training that are other ones than those by which it was trained."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

_NOT_GIVEN = None
_SHOWN = 200


@dataclass(frozen=True)
class ChangedOption:
    """An option with its values before and now, as TOML has them, None where not given; `data.en` is a part of one."""

    name: str
    before: Any
    now: Any

    def __str__(self) -> str:
        if isinstance(self.before, list) and isinstance(self.now, list):
            added, gone = _beside(self.now, self.before), _beside(self.before, self.now)
            if bool(added) != bool(gone):
                return f"{self.name} has {_cut(repr(added or gone))} {'now too' if added else 'no more'}"
        before, now = _told(self.before, self.now), _told(self.now, self.before)
        alike = sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(before, now, strict=False)))
        return f"{self.name} was {_cut(before, alike)}, now {_cut(now, alike)}"


def changed_options(
    before: Mapping[str, Any], now: Mapping[str, Any], *, place: Path | None = None, of: str = ""
) -> Iterator[ChangedOption]:
    """What is not the same. A file is the same however it is named, from `place`, where it was named before, too."""
    for name in sorted({*before, *now}):
        one, other = before.get(name, _NOT_GIVEN), now.get(name, _NOT_GIVEN)
        if _same(one, other, place):
            continue
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from changed_options(one, other, place=place, of=f"{of}{name}.")
        else:
            yield ChangedOption(f"{of}{name}", one, other)


def located(written: str, place: Path) -> str:
    """A file or folder, or several with commas between, seen from a place; what is none stays as it is written."""
    return ",".join(_resolved(place / piece, piece) for piece in written.split(","))


def _resolved(path: Path, written: str) -> str:
    try:
        return str(path.resolve(strict=True))
    except (OSError, ValueError):
        return written


def _same(before: object, now: object, place: Path | None) -> bool:
    if before == now or place is None:
        return before == now
    if isinstance(before, str) and isinstance(now, str):
        return located(before, place) == located(now, Path.cwd())
    if isinstance(before, list) and isinstance(now, list):
        return len(before) == len(now) and all(_same(*both, place) for both in zip(before, now, strict=True))
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        return before.keys() == now.keys() and all(_same(before[key], now[key], place) for key in before)
    return False


def _told(value: object, other: object) -> str:
    """A value; of a list what the other has not, so that both do not look alike."""
    if value is _NOT_GIVEN:
        return "not given"
    if isinstance(value, list) and isinstance(other, list):
        value = _beside(value, other) or value
    return repr(value)


def _beside(one: list[Any], other: list[Any]) -> list[Any]:
    return [part for part in one if part not in other]


def _cut(said: str, place: int = 0) -> str:
    """Not more than can be read, and of a long text what is around a place in it."""
    if len(said) <= _SHOWN:
        return said
    begin = max(0, min(place - _SHOWN // 2, len(said) - _SHOWN))
    end = begin + _SHOWN
    return f"{'…' if begin else ''}{said[begin:end]}{'…' if end < len(said) else ''}"
