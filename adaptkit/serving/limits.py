"""How much one request may ask for, and how many may wait."""

from dataclasses import dataclass

from adaptkit.options import Options, option

MAX_NAME = 2_000
"""Characters of a stack's expression."""

MAX_PREFIX = 1_000
"""Characters of what stands before every text."""

MAX_ADAPTERS = 16
"""Adapters in one stack."""


@dataclass(frozen=True, kw_only=True)
class Limits(Options):
    """What a server refuses before it computes anything.

    Raises:
        ConfigError: A number that cannot be right.
    """

    max_body_bytes: int = option(4 * 2**20, "longest body of a request, in bytes", least=1_024)
    max_inputs: int = option(256, "most inputs in a request, each under its own stack", least=1)
    max_characters: int = option(20_000, "most characters of one input", least=1)
    max_waiting: int = option(1_000, "most requests that wait; further ones are told to try again", least=1)
    timeout: float = option(60.0, "seconds until a request times out", above=0)
