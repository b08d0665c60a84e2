"""An amount of memory as people write it: `2GB`, `800 MiB`, or a number of bytes."""

import re

from adaptkit.errors import ConfigError
from adaptkit.terminal.asking import as_typed

_WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?b?)\s*", re.IGNORECASE | re.ASCII)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def memory_bytes(given: str | float) -> int:
    """Bytes: of `GB` a thousand millions, of `GiB` 2 ** 30.

    Raises:
        ConfigError: Something else, or less than nothing.
    """
    match = _WRITTEN.fullmatch(str(given))
    if match is None or isinstance(given, bool) or float(match[1]) <= 0:
        raise ConfigError(
            f"{as_typed(memory='2GB')} is how to write memory, or 800MB, 1.5GiB, or bytes; found {given!r:.40}."
        )
    number, unit = float(match[1]), match[2].lower().removesuffix("b")
    base = 1024 if unit.endswith("i") else 1000
    return round(number * float(base) ** _POWERS[unit.removesuffix("i")])


def gigabytes(n_bytes: int) -> str:
    """`0.82 GB`, `1.4 GB`, `12 GB`: so many digits as an estimate is worth."""
    size = n_bytes / 1e9
    return f"{size:.2f} GB" if size < 1 else f"{size:.1f} GB" if size < 10 else f"{size:.0f} GB"
