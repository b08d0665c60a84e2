"""Monolingual text in: one text after the other from files, sentences, or a data set."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from adaptkit.data.columns import column_texts, given_text
from adaptkit.data.lines import read_lines
from adaptkit.data.packed import format_suffix
from adaptkit.data.rows import has_rows, read_rows
from adaptkit.data.sources import (
    DataSet,
    describe_files,
    existing_path,
    hub_id,
    is_data_set,
    is_file,
    load_from_hub,
    names_files,
)
from adaptkit.data.tmx import tmx_sentences
from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.terminal.amounts import counted
from adaptkit.terminal.asking import as_typed

PathOrName: TypeAlias = str | os.PathLike[str]
Numbered: TypeAlias = Iterator[tuple[int, str]]
"""Texts with the numbers of the documents that they are of, which never fall."""
TextSource: TypeAlias = "PathOrName | Sequence[PathOrName] | Iterable[str] | DataSet"


class Corpus:
    """Texts that are read as they are asked for; make one with `open_corpus`.

    Attributes:
        description: what it is, for cards and messages: file names without folders, a hub id, "an iterable".
        repeatable: whether `lines` may be called again (an iterator can be read once).
        empty_lines: empty lines skipped so far by the latest reading.

    """

    def __init__(
        self, read: Callable[[], Numbered], *, description: str, repeatable: bool, limit_lines: int | None = None
    ) -> None:
        self.description = description
        self.repeatable = repeatable
        self.empty_lines = 0
        self._read = read
        self._limit_lines = limit_lines
        self._was_read = False

    def lines(self) -> Iterator[str]:
        """Start a reading: the texts without surrounding white space, empty ones skipped, else unchanged.

        A line of a plain file is one text. The text of a row may hold line breaks and stays one text.

        Raises:
            MalformedText: while reading, with file and line.
            EmptyCorpus: at the end, if there was no text; or at once, if it cannot be read a second time.

        """
        return (text for _, text in self.in_documents())

    def require_text(self) -> None:
        """Read its first text, before anything that takes long is done for it.

        Raises:
            DataError: As `lines`.
        """
        next(self.lines(), None)

    def numbered(self) -> Numbered:
        """As `lines`, each text with its number among all that are there, empty ones counted, from 0."""
        return ((number, text) for number, _, text in self._started())

    def in_documents(self) -> Numbered:
        """As `lines`, each text with the number of its document.

        A document of a plain file is what lies between two empty lines; elsewhere each text is one.
        """
        return ((document, text) for _, document, text in self._started())

    def _started(self) -> Iterator[tuple[int, int, str]]:
        if self._was_read and not self.repeatable:
            raise EmptyCorpus(f"{self.description} can be read once, and was. Give a file or a list to read it again.")
        self._was_read = True
        return islice(self._kept(), self._limit_lines)

    def _kept(self) -> Iterator[tuple[int, int, str]]:
        self.empty_lines = kept = 0
        for number, (document, text) in enumerate(self._read()):
            if stripped := text.strip():
                kept += 1
                yield number, document, stripped
            else:
                self.empty_lines += 1
        if not kept:
            raise EmptyCorpus(f"{self.description} holds no text ({self.empty_lines} empty lines).")


def open_corpus(
    source: TextSource, *, column: str | None = None, limit_lines: int | None = None, language: str | None = None
) -> Corpus:
    """Find the text that `source` names; nothing but its existence is checked before reading.

    A string or path is a file: one text a line, or rows (`.jsonl`, `.json`, `.ndjson`, `.csv`, `.tsv`,
    `.tmx`, `.parquet`), each also packed (`.gz`, `.xz`, `.bz2`, `.zst`). A string that is not a file and looks like
    `owner/name` or `owner/name:config` is a data set on the hub; a `pathlib.Path` never is.

    A list or tuple is several files if it holds a path object, or if every string in it is an existing file
    or ends like one (`.txt`, `.jsonl`, `.csv.gz`, ...). If only some of its strings are existing files, it is
    refused. Any other list is sentences, and so is any other iterable, whatever it yields.

    Args:
        source: where the text is.
        column: the field of the rows that holds the text; else the one called text, sentence or content,
            else the only field with a string.
        limit_lines: read at most so many texts in all, empty ones not counted.
        language: of a translation memory (TMX), what is read where no column is named.

    Raises:
        SourceNotFound: no such file or data set, a folder, or a list that names files and something else.
        ConfigError: `limit_lines` below 1, `column` for plain text, or a source of no known type.
        EmptyCorpus: an empty list.

    """
    if limit_lines is not None and limit_lines < 1:
        raise ConfigError(f"limit_lines is {limit_lines}; give at least 1, or None for everything.")
    make = partial(Corpus, limit_lines=limit_lines)
    if isinstance(source, str) and not is_file(source) and (found := hub_id(source)):
        rows = load_from_hub(*found)
        return make(partial(_dataset_texts, rows, column, source), description=source, repeatable=True)
    if is_data_set(source):
        return make(partial(_dataset_texts, source, column, "a data set"), description="a data set", repeatable=True)
    if paths := _paths_in(source, column):
        read = partial(_file_texts, paths, column, language)
        return make(read, description=describe_files(paths), repeatable=all(path.is_file() for path in paths))
    sentences = _sentences_in(source, column)
    description = (
        f"a list of {counted(len(sentences), 'sentence')}" if isinstance(sentences, Sequence) else "an iterable"
    )
    repeatable = not isinstance(sentences, Iterator)
    return make(partial(_checked, description, sentences), description=description, repeatable=repeatable)


def _paths_in(source: object, column: str | None) -> list[Path]:
    """Give the files that the source names; none if it is sentences."""
    if isinstance(source, str | os.PathLike):
        named: Sequence[PathOrName] = [source]
    elif isinstance(source, list | tuple) and names_files(source):
        named = source
    else:
        return []
    paths = [existing_path(name) for name in named]
    if column is not None and (plain := [path for path in paths if not has_rows(path)]):
        raise ConfigError(
            f"{as_typed(column=column)} was given, and {plain[0]} is plain text without columns; leave it out."
        )
    return paths


def _sentences_in(source: object, column: str | None) -> Iterable[str]:
    if not isinstance(source, Iterable) or isinstance(source, bytes | bytearray | Mapping):
        raise ConfigError(f"a {type(source).__name__} is not a source of text; give files, sentences or a data set.")
    if column is not None:
        raise ConfigError(f"{as_typed(column=column)} was given, and sentences have no columns; leave it out.")
    if isinstance(source, Sequence) and not source:
        raise EmptyCorpus("the list of sentences is empty.")
    return source


def _file_texts(paths: Sequence[Path], column: str | None, language: str | None) -> Numbered:
    document = 0
    for path in paths:
        document += 1
        if has_rows(path):
            for text in _row_texts(path, column, language):
                document += 1
                yield document, text
        else:
            for _, line in read_lines(path):
                document += not line.strip()
                yield document, line


def _row_texts(path: Path, column: str | None, language: str | None) -> Iterator[str]:
    if format_suffix(path) == ".tmx":
        return tmx_sentences(path, column or language)
    return column_texts(path, read_rows(path, column), column)


def _dataset_texts(dataset: DataSet, column: str | None, description: str) -> Numbered:
    if column is not None and column in (dataset.column_names or ()):
        dataset = dataset.select_columns([column])  # the others need not be decoded
    return enumerate(column_texts(description, enumerate(dataset, start=1), column))


def _checked(description: str, sentences: Iterable[str]) -> Numbered:
    return ((number, given_text(description, number, text)) for number, text in enumerate(sentences, start=1))
