"""Ranges of the numbers that options of objectives have."""

import math

from adaptkit.errors import ConfigError


def require_share(name: str, value: float) -> None:
    """See that a share is one.

    Raises:
        ConfigError: It does not lie between 0 and 1.
    """
    if not 0 <= value <= 1:
        raise ConfigError(f"{name} lies between 0 and 1, found {value}.")


def require_weight(name: str, value: float) -> None:
    """See that a part of a loss is not weighed below nothing.

    Raises:
        ConfigError: It is below 0, or no finite number.
    """
    if not (math.isfinite(value) and value >= 0):
        raise ConfigError(f"{name} must be 0 or a positive number, found {value}.")
