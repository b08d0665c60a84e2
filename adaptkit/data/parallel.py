"""Parallel text in: pairs of a source sentence and its translation into the target language."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from adaptkit.data.bitext import TwoFiles, file_pairs, first_row, names_its_languages
from adaptkit.data.cldr import is_cldr, names_of
from adaptkit.data.columns import given_text
from adaptkit.data.direction import Order
from adaptkit.data.rows import has_rows
from adaptkit.data.sources import DataSet, describe_files, existing_path, in_home, is_data_set, is_file, is_folder
from adaptkit.data.translations import LanguagePair
from adaptkit.errors import ConfigError, EmptyCorpus, MalformedText, SourceNotFound
from adaptkit.languages import canonical_tag
from adaptkit.terminal.amounts import counted

PathOrName: TypeAlias = str | os.PathLike[str]
FilePair: TypeAlias = tuple[PathOrName, PathOrName]
ParallelSource: TypeAlias = (
    "PathOrName | FilePair | Sequence[PathOrName] | Sequence[FilePair] | Iterable[tuple[str, str]] | DataSet"
)
Pair: TypeAlias = tuple[str, str]
_TWO_LANGUAGES = "give two languages."


@runtime_checkable
class _Described(Protocol):
    """Pairs that say what they are, and the language of their first sentences: those that were mined."""

    description: str
    source_language: str


@dataclass(frozen=True)
class PartOfCorpus:
    """The pairs of one file of several, or of two that belong together.

    Attributes:
        description: the names of the files, without folders.
        order: what says which language is where; None where it is not known.
        pairs: starts a reading, as `ParallelCorpus.pairs`, but a part may be empty.
    """

    description: str
    order: Order | None
    pairs: Callable[[], Iterator[Pair]]


class ParallelCorpus:
    """Pairs that are read as they are asked for; make one with `open_parallel`.

    Attributes:
        source_language: canonical tag of the first sentence of each pair; None where nothing names it.
        description: what it is, for cards and messages: file names without folders, or "an iterable".
        repeatable: whether `pairs` may be called again (an iterator can be read once).
        empty_pairs: pairs skipped so far by the latest reading because a side was empty.
        of_names: whether they are names, of emoji or countries, and not sentences.
        order: what says which language is where; None where it is not known, or several files differ in it.
        parts: of several files that can be read again, what each is.

    """

    def __init__(
        self,
        read: Callable[[], Iterator[Pair]],
        *,
        source_language: str | None,
        description: str,
        repeatable: bool,
        of_names: bool = False,
        order: Order | None = None,
        parts: Sequence[PartOfCorpus] = (),
    ) -> None:
        self.source_language = source_language
        self.description = description
        self.repeatable = repeatable
        self.empty_pairs = 0
        self.of_names = of_names
        self.order = order
        self.parts = tuple(parts)
        self._read = read
        self._was_read = False

    def pairs(self) -> Iterator[Pair]:
        """Start a reading: `(source sentence, target sentence)`, without surrounding white space.

        Raises:
            MalformedText: while reading, with file and line.
            EmptyCorpus: at the end, if there was no pair; or at once, if it cannot be read a second time.

        """
        if self._was_read and not self.repeatable:
            raise EmptyCorpus(f"{self.description} can be read once, and was. Give a file or a list to read it again.")
        self._was_read = True
        return self._kept()

    def _kept(self) -> Iterator[Pair]:
        self.empty_pairs = kept = 0
        for pair in map(_stripped, self._read()):
            if pair is None:
                self.empty_pairs += 1
            else:
                kept += 1
                yield pair
        if not kept:
            raise EmptyCorpus(f"{self.description} holds no pair of sentences ({self.empty_pairs} half empty ones).")


def _stripped(pair: Pair) -> Pair | None:
    """Without surrounding white space; None where a side is empty."""
    source, target = pair[0].strip(), pair[1].strip()
    return (source, target) if source and target else None


def open_parallel(
    source: ParallelSource, *, target: str, source_language: str | None = None, preferred: str | None = None
) -> ParallelCorpus:
    """Find the pairs that `source` names, and the languages in them; the rest is checked while reading.

    A string or path is a file, also packed (`.gz`, `.xz`, `.bz2`, `.zst`):
    rows (`.jsonl`, `.json`, `.ndjson`, `.csv`, `.parquet`) whose fields
    are languages in any form, `{"translation": {"en": ..., "hau": ...}}` or flat; a translation memory (`.tmx`), whose
    units that lack one of the languages count as half empty; or lines with tabs (any other
    suffix), either under a header of languages or in two columns, source and target.
    A tuple of two file names is a pair of files, source and target, with as many lines each. A list is several
    of these, all between the same two languages. A folder of CLDR's names (`adaptkit.data.cldr`) has pairs of names,
    with the preferred language, or English, where none is named. Any other iterable yields
    `(source sentence, target sentence)`.

    Args:
        source: where the pairs are.
        target: the language of the second sentence of each pair.
        source_language: the language of the first; needed where rows hold more than two.
        preferred: the language of the first where several may be it and none is named.

    Raises:
        SourceNotFound: no such file, or a folder.
        MalformedText: the first row lacks a language, or has several beside the target and none is named.
        ConfigError: source and target are the same, a pair of files has rows, or a source of no known type.
        UnknownLanguage: `target` or `source_language` is no language.

    """
    named, wanted = (tag and canonical_tag(tag) for tag in (source_language, preferred))
    languages = LanguagePair(named, canonical_tag(target), wanted)
    if languages.source == languages.target:
        raise ConfigError(f"source and target language are both {languages.target}; {_TWO_LANGUAGES}")
    if is_data_set(source):
        return _open_dataset(source, languages)
    if is_cldr(source):
        return _open_names(in_home(source), languages)
    _require_whole_cldr(source)
    if parts := _parts_of(source):
        return _open_files(parts, languages)
    if not isinstance(source, Iterable) or isinstance(source, str | bytes | Mapping):
        raise ConfigError(f"a {type(source).__name__} is not a source of pairs; give files, pairs or a data set.")
    return _open_pairs(source, languages)


def _open_dataset(dataset: DataSet, languages: LanguagePair) -> ParallelCorpus:
    description = "a data set"
    languages = languages.settled(description, next(iter(enumerate(dataset, start=1)), None))

    def read() -> Iterator[Pair]:
        return languages.pairs(description, enumerate(dataset, start=1))

    return ParallelCorpus(
        read, source_language=languages.source, description=description, repeatable=True, order="names"
    )


def _open_files(parts: Sequence[Path | TwoFiles], languages: LanguagePair) -> ParallelCorpus:
    paths = [path for part in parts for path in (part if isinstance(part, tuple) else (part,))]
    repeatable = all(path.is_file() for path in paths)
    first = first_row(parts[0], languages) if repeatable else None  # a pipe would lose the row that is looked at
    languages = languages.settled(paths[0], first)

    def read() -> Iterator[Pair]:
        return chain.from_iterable(file_pairs(part, languages) for part in parts)

    orders = [_order_of(part) for part in parts]
    several = repeatable and len(parts) > 1
    description = describe_files(paths)
    return ParallelCorpus(
        read,
        source_language=languages.source,
        description=description,
        repeatable=repeatable,
        order=orders[0] if len(set(orders)) == 1 else None,
        parts=[_part_of(part, order, languages) for part, order in zip(parts, orders, strict=True)] if several else (),
    )


def _order_of(part: Path | TwoFiles) -> Order | None:
    if isinstance(part, tuple):
        return "files"
    if not part.is_file():  # a pipe would lose what is looked at
        return None
    return "names" if names_its_languages(part) else "columns"


def _part_of(part: Path | TwoFiles, order: Order | None, languages: LanguagePair) -> PartOfCorpus:
    def pairs() -> Iterator[Pair]:
        return filter(None, map(_stripped, file_pairs(part, languages)))

    return PartOfCorpus(describe_files(part if isinstance(part, tuple) else [part]), order, pairs)


def _require_whole_cldr(source: object) -> None:
    """See that this is no folder inside one of CLDR's names."""
    if isinstance(source, str | os.PathLike) and is_folder(source) and is_cldr(above := in_home(source).parent):
        raise SourceNotFound(f"{source} is a part of CLDR's names; give the folder above it, {above}.")


def _open_names(folder: Path, languages: LanguagePair) -> ParallelCorpus:
    source = languages.source or languages.preferred or "en"
    if source == languages.target:
        raise ConfigError(f"the names in {folder} are read from {source} into {source}; {_TWO_LANGUAGES}")
    names = names_of(folder, source=source, language=languages.target)
    return ParallelCorpus(
        lambda: iter(names.pairs),
        source_language=source,
        description=str(names),
        repeatable=True,
        of_names=True,
        order="names",
    )


def _open_pairs(pairs: Iterable[object], languages: LanguagePair) -> ParallelCorpus:
    if isinstance(pairs, _Described):
        description, languages = pairs.description, replace(languages, source=languages.source or pairs.source_language)
    else:
        description = (
            f"a list of {counted(len(pairs), 'pair')}" if isinstance(pairs, Sequence) else "an iterable of pairs"
        )

    def read() -> Iterator[Pair]:
        return (_checked_pair(description, number, pair) for number, pair in enumerate(pairs, start=1))

    repeatable = not isinstance(pairs, Iterator)
    return ParallelCorpus(
        read,
        source_language=languages.source,
        description=description,
        repeatable=repeatable,
        order=None if isinstance(pairs, _Described) else "pairs",
    )


def _checked_pair(description: str, number: int, pair: object) -> Pair:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise MalformedText(
            description, number, f"a {type(pair).__name__}", "a pair (source sentence, target sentence)"
        )
    return given_text(description, number, pair[0]), given_text(description, number, pair[1])


def _parts_of(source: object) -> list[Path | TwoFiles]:
    """Give the files that the source names; none if it is pairs of sentences."""
    if isinstance(source, str | os.PathLike):
        return [existing_path(source)]
    if isinstance(source, tuple) and len(source) == 2 and all(isinstance(name, str | os.PathLike) for name in source):
        return [_two_files(source)]
    if not isinstance(source, list):
        return []
    if not all(isinstance(part, str | os.PathLike) or _names_two_files(part) for part in source):
        return []
    return [_two_files(part) if isinstance(part, tuple) else existing_path(part) for part in source]


def _names_two_files(pair: object) -> bool:
    return (
        isinstance(pair, tuple)
        and len(pair) == 2
        and all(isinstance(name, os.PathLike) or (isinstance(name, str) and is_file(name)) for name in pair)
    )


def _two_files(pair: FilePair) -> TwoFiles:
    source, target = existing_path(pair[0]), existing_path(pair[1])
    for path in (source, target):
        if has_rows(path):
            raise ConfigError(f"{path} holds both languages in rows; give it alone or in a list, not as one of a pair.")
    return source, target
