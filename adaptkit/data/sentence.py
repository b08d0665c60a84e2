"""A sentence of a training text."""

from typing import NamedTuple


class Sentence(NamedTuple):
    """A sentence in the language that is trained, with its translation where the text has them.

    Sentences of one document have one number, and stand together.
    """

    text: str
    translation: str | None = None
    document: int = 0
