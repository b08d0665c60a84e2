"""Names of countries and languages in two languages, as CLDR has them: what is translated and not copied.

Read from a folder of the caller's, such as that of the npm package `cldr-localenames-full` (Unicode licence); nothing
of it comes with adaptkit.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adaptkit.errors import MalformedText, SourceNotFound
from adaptkit.projection.copies import likeness, plain
from adaptkit.projection.entities import Span
from adaptkit.projection.placing import Placed, spans_like

_FILES = ("territories", "languages")
_MOST_BYTES = 4 * 2**20
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
    path = Path(folder)
    main = path / "main" if (path / "main").is_dir() else path
    names: dict[str, set[str]] = {}
    for file in _FILES:
        ours, theirs = (_names_in(main / tag, file, tag) for tag in (source, language))
        for code, name in ours.items():
            # CLDR marks variants of a name behind its code: US-alt-short.
            other = theirs.get(code) or theirs.get(code.partition("-alt-")[0])
            if other:
                names.setdefault(plain(name), set()).add(other)
    return Gazetteer({name: frozenset(others) for name, others in names.items() if name})


def _names_in(folder: Path, file: str, tag: str) -> Mapping[str, str]:
    path = folder / f"{file}.json"
    if not path.is_file():
        raise SourceNotFound(
            f"there is no {path}, where the names in {tag} would be. A gazetteer is a folder with one for each "
            "language, such as that of the npm package cldr-localenames-full."
        )
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise MalformedText(path, 1, f"{path.stat().st_size:,} bytes", f"at most {_MOST_BYTES:,}")
        names = json.loads(path.read_text(encoding="utf-8"))["main"][tag]["localeDisplayNames"][file]
        return dict(_checked(names))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        right = f"JSON of CLDR: main, {tag}, localeDisplayNames, {file}, and a name for each code"
        raise MalformedText(path, 1, f"something else ({error!r:.60})", right) from error


def _checked(names: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for code, name in names.items():
        if not isinstance(name, str):
            raise TypeError(f"{code} is no text")
        # A code that stands for itself is one that CLDR has no name of.
        if name and name != code:
            yield code, name
