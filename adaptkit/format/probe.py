"""A probe: an input with the output that an adapter must give. It proves integrity, not trust."""

from dataclasses import dataclass

COMPONENTS = 32
"""Numbers of a vector that a probe keeps."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Token ids and some components of the pooled vector that the adapted model gives for them.

    The ids are arithmetic, not text, so a card never carries a sentence of a private corpus.
    """

    ids: tuple[int, ...]
    vector: tuple[float, ...]
