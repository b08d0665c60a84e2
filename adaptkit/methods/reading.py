"""What a text is read by besides the pieces of the backbone."""

from collections.abc import Iterable
from dataclasses import dataclass

from adaptkit.methods.glossary import GlossaryConfig
from adaptkit.methods.pieces import PiecesConfig
from adaptkit.terminal.amounts import counted


@dataclass(frozen=True)
class Reading:
    """What a text is read by besides the backbone's own pieces: those of an adapter, and the glossary of one.

    `prefix` stands before each text in place of the backbone's own prefix; with None that one does.
    """

    pieces: PiecesConfig | None = None
    glossary: GlossaryConfig | None = None
    prefix: str | None = None

    @property
    def changes_words(self) -> bool:
        """Whether a text is read as more or other tokens than those of its own words."""
        return self.pieces is not None or self.glossary is not None

    def __str__(self) -> str:
        pieces = [] if self.pieces is None else [f"{len(self.pieces):,} pieces"]
        words = [] if self.glossary is None else [f"a glossary of {counted(len(self.glossary), 'word')}"]
        prefix = [] if self.prefix is None else [f"the prefix {self.prefix!r}"]
        return " and ".join([*pieces, *words, *prefix]) or "nothing more"

    def without(self, other: "Reading") -> "Reading":
        """What is left where the adapter that brings the other does not act; the prefix is its head's, which stays."""
        return Reading(
            self.pieces if other.pieces is None else None,
            self.glossary if other.glossary is None else None,
            self.prefix,
        )


def by_reading(texts: Iterable[tuple[int, Reading]]) -> dict[Reading, list[int]]:
    """Numbers of texts that are read alike; each comes with what it is read by."""
    found: dict[Reading, list[int]] = {}
    for number, reading in texts:
        found.setdefault(reading, []).append(number)
    return found
