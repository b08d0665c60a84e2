"""A sentence of a training text."""

from typing import NamedTuple


class Sentence(NamedTuple):
    """A sentence in the language that is trained, with its translation where the text has them.

    Sentences of one document have one number, and stand together; so do those of one source of a mix (`part`).
    """

    text: str
    translation: str | None = None
    document: int = 0
    part: int = 0
