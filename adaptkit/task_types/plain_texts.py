"""Texts as a caller of `predict` writes them."""

from collections.abc import Sequence


def plain_texts(given: object, count: int) -> tuple[str, ...] | None:
    """So many texts, of which one may stand alone; None where it is something else."""
    parts = (given,) if isinstance(given, str) else given
    if isinstance(parts, Sequence) and len(parts) == count and all(isinstance(part, str) for part in parts):
        return tuple(parts)
    return None
