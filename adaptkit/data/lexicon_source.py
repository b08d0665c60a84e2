"""Dictionaries in: from files of lines with tabs, mappings, or pairs."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import regex

from adaptkit.data.columns import given_text
from adaptkit.data.lexicon import Entry, Lexicon
from adaptkit.data.licences import NOT_STATED
from adaptkit.data.lines import read_lines
from adaptkit.data.source import Source
from adaptkit.data.sources import describe_files, existing_path
from adaptkit.errors import ConfigError, MalformedText

PathOrName: TypeAlias = str | os.PathLike[str]
LexiconSource: TypeAlias = (
    "PathOrName | Sequence[PathOrName] | Mapping[str, str | Sequence[str]] | Iterable[Entry] | Lexicon | Source"
)

_SEVERAL = regex.compile(r"[;|]")
_HEADERS = ({"word", "term", "entry", "source", "headword"}, {"en", "eng", "english", "translation", "gloss", "target"})


def open_lexicon(source: LexiconSource, *, licence: str = NOT_STATED) -> Lexicon:
    """Read a dictionary.

    A string or path is a file of lines with tabs, also packed: word, tab, translation, and whatever columns come
    behind. A word with several translations stands in several lines, or has them in one cell with `;` or `|` between.
    A first line such as `word<TAB>english` is a header. A list of strings or paths is several files; a mapping has
    words and their translations, and anything else is iterated, for pairs of both. A `Source` of any of these says its
    licence, and its name; `licence` is that of one that does not say it.

    Raises:
        SourceNotFound: No such file, or a folder.
        MalformedText: A line without a tab, with file and line; or a pair that is none.
        EmptyCorpus: No word has a translation.
        ConfigError: A source of no known type.
    """
    given = source if isinstance(source, Source) else Source(source)
    lexicon = _opened(given.text)
    stated = next((said for said in (given.licence, lexicon.licence, licence) if said != NOT_STATED), NOT_STATED)
    description = given.name or lexicon.description
    if (description, stated) == (lexicon.description, lexicon.licence):
        return lexicon
    return replace(lexicon, description=description, licence=stated)


def _opened(source: object) -> Lexicon:
    if isinstance(source, Lexicon):
        return source
    if isinstance(source, str | os.PathLike):
        return _of_files([source])
    if isinstance(source, Mapping):
        several = ((word, [own] if isinstance(own, str) else own) for word, own in source.items())
        return _of_pairs((word, translation) for word, own in several for translation in own)
    if not isinstance(source, Iterable):
        raise ConfigError(
            f"a {type(source).__name__} is not a dictionary; give a file, or pairs of word and translation."
        )
    given = list(source)
    if given and all(isinstance(each, str | os.PathLike) for each in given):
        return _of_files([each for each in given if isinstance(each, str | os.PathLike)])
    return _of_pairs(given)


def _of_files(names: Sequence[PathOrName]) -> Lexicon:
    paths = [existing_path(name) for name in names]
    return Lexicon(tuple(entry for path in paths for entry in _lines_of(path)), describe_files(paths))


def _lines_of(path: Path) -> Iterator[Entry]:
    for number, line in read_lines(path):
        cells = line.split("\t")
        if line.strip() and len(cells) < 2:
            raise MalformedText(path, number, "a line without a tab", "a word, a tab and its translation")
        if line.strip() and not (number == 1 and _is_header(cells)):
            yield from _entries(cells[0], cells[1])


def _is_header(cells: Sequence[str]) -> bool:
    return all(cell.strip().casefold() in names for cell, names in zip(cells, _HEADERS, strict=False))


def _of_pairs(pairs: Iterable[object]) -> Lexicon:
    found: list[Entry] = []
    for number, pair in enumerate(pairs, start=1):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise MalformedText("the dictionary", number, f"a {type(pair).__name__}", "a pair (word, translation)")
        found += _entries(*(given_text("the dictionary", number, part) for part in pair))
    return Lexicon(tuple(found))


def _entries(word: str, translations: str) -> Iterator[Entry]:
    """An entry for each of the translations of a cell that is not empty."""
    return ((word.strip(), part.strip()) for part in _SEVERAL.split(translations) if word.strip() and part.strip())
