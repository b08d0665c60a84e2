"""What is said for each of several languages: texts by their language, in Python and as a shell writes them."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adaptkit.data.sources import is_file
from adaptkit.errors import ConfigError
from adaptkit.languages import canonical_tag
from adaptkit.requests.written import FACTS
from adaptkit.terminal.asking import as_typed, files_as_typed, option_name

_LANGUAGE = re.compile(r"(?P<language>[^\W\d_][\w-]*)=(?P<rest>.+)", re.DOTALL)


def languages_in(given: object) -> tuple[str, ...]:
    """The canonical tags of languages in a list, or with commas between.

    Raises:
        UnknownLanguage: One is none.
        ConfigError: There is none, or one is named twice.
    """
    named = given.split(",") if isinstance(given, str) else given
    if not isinstance(named, list | tuple) or not named or not all(isinstance(part, str) for part in named):
        raise ConfigError(f"lang is a language, or several in a list, found {given!r:.80}.")
    tags = tuple(canonical_tag(part.strip()) for part in named)
    if len(set(tags)) < len(tags):
        raise ConfigError(f"lang names a language twice: {', '.join(tags)}.")
    return tags


def each_language(name: str, given: object, languages: Sequence[str]) -> Mapping[str, Any]:
    """What is given for each language, by its tag; of one language, it may be given alone.

    Raises:
        ConfigError: Something is given for other languages than these, or for all in one.
    """
    if not isinstance(given, Mapping):
        if len(languages) > 1 and given is not None:
            raise ConfigError(
                f"{option_name(name)} is given once for {len(languages)} languages; give each language its own: "
                f"{files_as_typed(name, languages)}."
            )
        return dict.fromkeys(languages, given)
    found = {canonical_tag(str(language)): text for language, text in given.items()}
    missing = [language for language in languages if found.get(language) is None]
    others = [language for language in found if language not in languages]
    if missing or others or len(found) < len(given):
        what = f"none for {', '.join(missing)}" if missing else f"some for {', '.join(others) or 'a language twice'}"
        raise ConfigError(
            f"{option_name(name)} has {what}, and {as_typed(lang=','.join(languages))} was asked for: give each "
            "language its own, and no other."
        )
    return found


def by_language(read: Callable[[Sequence[str]], object]) -> Callable[[Sequence[str]], object]:
    """Read what a shell gives: files, or `LANG=FILE` for each language; a file that is called so is that file."""

    def read_apart(given: Sequence[str]) -> object:
        apart = [_apart(part) for part in given]
        if not any(language for language, _ in apart):
            return read(given)
        if not all(language for language, _ in apart):
            raise ConfigError("files are given with a language and without one; write LANG=FILE for all, or for none.")
        grouped: dict[str, list[str]] = {}
        for language, rest in apart:
            grouped.setdefault(language, []).append(rest)
        return {language: read(parts) for language, parts in grouped.items()}

    return read_apart


def _apart(written: str) -> tuple[str, str]:
    found = _LANGUAGE.fullmatch(written)
    if found is None or found["language"] in FACTS or is_file(written):
        return "", written
    return found["language"], found["rest"]
