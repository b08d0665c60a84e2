"""A mix of texts: what a caller's list says, taken apart into its sources."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias, TypeGuard

from adaptkit.data.corpus import TextSource
from adaptkit.data.parallel import ParallelSource
from adaptkit.data.source import Source
from adaptkit.data.sources import is_data_set, is_file, looks_like_file, names_files
from adaptkit.errors import ConfigError

Texts: TypeAlias = "TextSource | Source | Sequence[TextSource | Source]"
Parallels: TypeAlias = "ParallelSource | Source | Sequence[ParallelSource | Source]"
MOST_SOURCES = 64
"""A list of more files is one source: a card names each, and counts what each two have in common."""


def text_sources(given: object) -> list[Source]:
    """The sources of text without translations: one, unless it is a list of several.

    A list of files is a source for each; a list of sentences is one.

    Raises:
        SourceNotFound: a list that names files and something else.
        ConfigError: more than 64 sources in a list that has more than files, or a sentence among sources.
    """
    if isinstance(given, Source):
        return [given]
    if not isinstance(given, list | tuple):
        return [Source(given)]
    if not any(isinstance(part, Source | list | tuple | Iterator) or is_data_set(part) for part in given):
        return _plain([Source(part) for part in given], given) if names_files(given) else [Source(given)]
    return _bounded([part if isinstance(part, Source) else Source(part) for part in given])


def parallel_sources(given: object) -> list[Source]:
    """The sources of text with translations: one, unless it is a list of several.

    A file is a source, so is a tuple of two files, and so is a list of pairs of sentences.

    Raises:
        ConfigError: more than 64 sources in a list that has more than files, or a pair of sentences among sources.
    """
    if isinstance(given, Source):
        return [given]
    if not isinstance(given, list) or not any(_is_source(part) for part in given):
        return [Source(given)]
    if all(isinstance(part, str | os.PathLike) or _is_two(part) for part in given):
        return _plain([_parallel_source(part) for part in given], given)
    return _bounded([_parallel_source(part) for part in given])


def _parallel_source(part: object) -> Source:
    if isinstance(part, Source):
        return part
    if _is_two(part) and not any(map(_is_or_seems_file, part)):
        raise ConfigError(
            f"a pair of sentences ({part[0]!r:.40}, ...) is in a list of sources; put pairs into a list of their "
            "own: [[(sentence, translation), ...], file, ...]. For a pair of files, correct their names."
        )
    return Source(part)


def _is_source(part: object) -> bool:
    """Whether something in a list is a source by itself, and not a pair of sentences."""
    if isinstance(part, tuple) and _is_two(part):
        return any(isinstance(name, os.PathLike) or is_file(name) for name in part)
    if isinstance(part, list):
        return any(isinstance(pair, tuple | list) for pair in part)
    return isinstance(part, Source | os.PathLike | Iterable) and not isinstance(part, tuple | bytes | Mapping)


def _is_two(part: object) -> TypeGuard[tuple[str | os.PathLike[str], ...]]:
    """Whether it is two names of files, or two sentences."""
    return isinstance(part, tuple) and len(part) == 2 and all(isinstance(name, str | os.PathLike) for name in part)


def _is_or_seems_file(name: str | os.PathLike[str]) -> bool:
    return isinstance(name, os.PathLike) or is_file(name) or looks_like_file(name)


def _plain(sources: list[Source], given: object) -> list[Source]:
    return sources if len(sources) <= MOST_SOURCES else [Source(given)]


def _bounded(sources: list[Source]) -> list[Source]:
    if len(sources) > MOST_SOURCES:
        raise ConfigError(
            f"there are {len(sources)} sources; give at most {MOST_SOURCES}. Several files may be one: Source([...])."
        )
    return sources
