"""Which fields of a row hold the two languages of a pair."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from adaptkit.data.columns import Row, checked_text, fields_of
from adaptkit.errors import MalformedText, UnknownLanguage
from adaptkit.languages import canonical_tag
from adaptkit.terminal.asking import as_typed

_REGION = re.compile(r"[A-Z]{2}|[0-9]{3}")


@dataclass(frozen=True)
class LanguagePair:
    """The languages to take from each row, as canonical tags; `source` None means the only other one there is.

    Of several, it is then the one that is `preferred`, if that is among them.
    """

    source: str | None
    target: str
    preferred: str | None = None

    def source_in(self, file: str | Path, number: int, row: Row) -> str:
        """Give the source language of a row.

        Raises:
            MalformedText: a language of the pair is missing, or the source is left open and there are several.

        """
        source, _ = self._tags_in(file, number, _sentences(row))
        return self.source or source

    def settled(self, file: str | Path, first: tuple[int, Row] | None) -> "LanguagePair":
        """Give the same pair with the source language that the first numbered row has, where there is a row.

        Raises:
            MalformedText: as `source_in`.

        """
        return self if first is None else replace(self, source=self.source_in(file, *first))

    def pairs(self, file: str | Path, rows: Iterable[tuple[int, Row]]) -> Iterator[tuple[str, str]]:
        """Yield `(source sentence, target sentence)` of rows `{"translation": {"en": ..., "ha": ...}}` or flat ones.

        Raises:
            MalformedText: as `source_in`, or a sentence is no text.

        """
        for number, row in rows:
            sentences = _sentences(row)
            tags = _languages(tuple(sentences))
            source, target = self._tags_in(file, number, sentences)
            first = checked_text(file, number, sentences[tags[source]])
            yield first, checked_text(file, number, sentences[tags[target]])

    def _tags_in(self, file: str | Path, number: int, sentences: Row) -> tuple[str, str]:
        """Give the tags of both sides as a row has them."""
        tags = tuple(_languages(tuple(sentences)))

        def asked(side: str, wanted: str) -> str:
            if (tag := field_of(wanted, tags)) is None:
                raise MalformedText(file, number, fields_of(sentences), f"a field for the {side} language {wanted}")
            return tag

        target = asked("target", self.target)
        if self.source is not None:
            return asked("source", self.source), target
        others = [tag for tag in tags if tag != target]
        if len(others) > 1 and self.preferred is not None and (tag := field_of(self.preferred, tuple(others))):
            return tag, target
        if len(others) != 1:
            expected = f"one more language beside {self.target} (choose among several: {as_typed(source_lang=...)})"
            if self.preferred is not None and others:
                # That option says in which language something else is.
                expected = (
                    f"{self.preferred}, or one more language beside {self.target} (name the one of several that is to "
                    f"be read for this source alone: source_lang={others[0]})"
                )
            raise MalformedText(file, number, fields_of(sentences), expected)
        return others[0], target


@lru_cache(maxsize=256)
def field_of(wanted: str, tags: tuple[str, ...]) -> str | None:
    """Give the tag that a canonical one means: itself, or the only one with a region behind it (`en-US` for `en`)."""
    regional = [tag for tag in tags if tag.startswith(f"{wanted}-") and _REGION.fullmatch(tag[len(wanted) + 1 :])]
    return wanted if wanted in tags else regional[0] if len(regional) == 1 else None


def languages_beside(wanted: str, names: Iterable[str]) -> list[str]:
    """Give the canonical tags of those names that are languages and do not mean this one."""
    tags = tuple(_languages(tuple(names)))
    return [tag for tag in tags if tag != field_of(wanted, tags)]


def names_languages(names: Iterable[str]) -> bool:
    """Tell whether at least two of the names are languages: such a line is a header."""
    return len(_languages(tuple(names))) > 1


def _sentences(row: Row) -> Row:
    """Give the fields that may hold a sentence: those with text or null."""
    translation = row.get("translation")
    fields = translation if isinstance(translation, Mapping) else row
    return {name: value for name, value in fields.items() if isinstance(value, str | None)}


@lru_cache(maxsize=256)
def _languages(names: tuple[str, ...]) -> Mapping[str, str]:
    """Map the canonical tag of every name that is a language to that name."""
    field_of: dict[str, str] = {}
    for name in names:
        try:
            field_of.setdefault(canonical_tag(name), name)
        except UnknownLanguage:
            continue
    return field_of
