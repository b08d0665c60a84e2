"""Names of countries and languages in two languages, as CLDR has them: what is translated and not copied.

Read from a folder of the caller's, such as that of the npm package `cldr-localenames-full` (Unicode licence); nothing
of it comes with adaptkit.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adaptkit.data.cldr import PLACES, names_in_both
from adaptkit.data.sources import in_home
from adaptkit.projection.copies import likeness, plain
from adaptkit.projection.entities import Span
from adaptkit.projection.placing import Placed, spans_like

_SURE = 0.95


@dataclass(frozen=True)
class Gazetteer:
    """For each name in the language of translations, without capitals and marks, its names in the other language."""

    names: Mapping[str, frozenset[str]]

    def places_of(self, entity: Span, ours: Sequence[str], theirs: Sequence[str]) -> list[Placed]:
        """Where one of an entity's names stands in a sentence, the surest place; none where it has none there."""
        found = [
            Placed(span, _SURE * like[0], "gazetteer")
            for name in self.names.get(plain(" ".join(ours[entity.start : entity.end])), ())
            for span in spans_like(entity, len(name.split()), len(theirs))
            if (like := likeness(name, " ".join(theirs[span.start : span.end]))) is not None
        ]
        return sorted(found, key=lambda placed: (-placed.confidence, len(placed.span), placed.span.start))[:1]


def read_gazetteer(folder: str | os.PathLike[str], *, language: str, source: str) -> Gazetteer:
    """The names of two languages (canonical tags) in a folder that has one for each: `main/sw/territories.json`.

    Raises:
        SourceNotFound: There is no such folder, or it has no names of one of the languages.
        MalformedText: A file that is not as CLDR has it.
    """
    names: dict[str, set[str]] = {}
    for file in PLACES:
        for name, other in names_in_both(in_home(folder), file, source=source, language=language):
            names.setdefault(plain(name), set()).add(other)
    return Gazetteer({name: frozenset(others) for name, others in names.items() if name})
