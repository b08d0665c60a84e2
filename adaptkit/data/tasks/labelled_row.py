"""A row of a labelled file, seen through the roles that its columns have."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from adaptkit.data.columns import Row, checked_text, fields_of
from adaptkit.errors import MalformedText, UnknownLanguage
from adaptkit.languages import canonical_tag

Columns: TypeAlias = Mapping[str, str | tuple[str, ...]]
"""The column of each role; several columns are joined, a line break between."""


LINES = "line of each word"
"""A field of sentences whose words stand on lines of their own: the number of each line."""


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """A row with its place, for errors, and the columns of its roles."""

    file: str | Path
    number: int
    cells: Row
    columns: Columns

    def wrong(self, found: str, expected: str) -> MalformedText:
        """Make an error that names this row."""
        return MalformedText(self.file, self.number, found, expected)

    def wrong_word(self, index: int, found: str, expected: str) -> MalformedText:
        """Make an error that names the line of one word, or this row where the words have no lines of their own."""
        lines = self.cells.get(LINES)
        number = lines[index] if isinstance(lines, tuple) else self.number
        return MalformedText(self.file, number, found, expected)

    def has(self, role: str) -> bool:
        """Tell whether a column has this role and the row holds it."""
        return role in self.columns and all(name in self.cells for name in self._names(role))

    def value(self, role: str) -> object:
        """Give what the (first) column of a role holds."""
        name = self._names(role)[0]
        if name not in self.cells:
            raise self.wrong(fields_of(self.cells), f"a field {name!r}")
        return self.cells[name]

    def text(self, role: str) -> str:
        """Give the text of a role, as it stands; it may not be empty."""
        for name in self._names(role):
            if name not in self.cells:
                raise self.wrong(fields_of(self.cells), f"a field {name!r}")
        parts = [checked_text(self.file, self.number, self.cells[name]) for name in self._names(role)]
        text = "\n".join(part for part in parts if part.strip())
        if not text:
            raise self.wrong(f"an empty {role}", "text")
        return text

    def optional_text(self, role: str) -> str | None:
        """Give the text of a role that may be missing or empty."""
        if not self.has(role) or self.value(role) in (None, ""):
            return None
        return self.text(role).strip()

    def number_of(self, role: str) -> float:
        """Give the number of a role, also where it is written as text."""
        value = self.value(role)
        try:
            number = float(value) if isinstance(value, str | int | float) else math.nan
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise self.wrong(f"{value!r:.40} as the {role}", "a number")
        return number

    def language(self) -> str | None:
        """Give the canonical tag of the row's language, if a column names it."""
        named = self.optional_text("language")
        try:
            return None if named is None else _tag(named)
        except UnknownLanguage as error:
            raise self.wrong(f"{named!r:.40} as the language", "a language tag, code or name") from error

    def _names(self, role: str) -> tuple[str, ...]:
        names = self.columns[role]
        return (names,) if isinstance(names, str) else names


@lru_cache(maxsize=1024)
def _tag(named: str) -> str:
    return canonical_tag(named)
