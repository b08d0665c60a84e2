"""A sentence of a training text."""

from typing import NamedTuple


class Sentence(NamedTuple):
    """A sentence in the language that is trained, with its translation where the text has them."""

    text: str
    translation: str | None = None
