"""Labelled data written to a file, to be read and corrected by hand."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from adaptkit.data.rows import JSON_SUFFIXES
from adaptkit.data.tasks.formats import CONLL_SUFFIXES
from adaptkit.errors import ConfigError
from adaptkit.format.folder import whole_file
from adaptkit.terminal.asking import as_typed


def written(path: str | os.PathLike[str], parts: Iterable[str], *, overwrite: bool) -> Path:
    """Write parts with a line feed behind each, all or nothing.

    Raises:
        ConfigError: There is such a file and `overwrite` is not set.
        CannotWrite: The file cannot be written.
    """
    file = Path(path)
    require_new(file, overwrite=overwrite)
    with whole_file(file) as place:
        place.write_text("".join(f"{part}\n" for part in parts), encoding="utf-8")
    return file


def conll(words: Sequence[str], tags: Sequence[str], *comments: str) -> str:
    """A sentence in the CoNLL layout: a word and its tag on a line, and an empty line behind it."""
    lines = [f"{word}\t{tag}" for word, tag in zip(words, tags, strict=True)]
    return "\n".join([*(f"# {comment}" for comment in comments), *lines, ""])


def require_conll(file: Path) -> None:
    """See that a file is read as CoNLL, which will be written in it.

    Raises:
        ConfigError: Its name is that of another format.
    """
    if file.suffix.lower() not in CONLL_SUFFIXES:
        raise ConfigError(f"what is written is CoNLL (a word, a tab, its tag); name the file {file.stem}.conll.")


def require_json_lines(file: Path) -> None:
    """See that a file is read as what will be written in it.

    Raises:
        ConfigError: Its name is that of another format.
    """
    if file.suffix.lower() not in JSON_SUFFIXES:
        raise ConfigError(f"what is written is JSON lines; name the file {file.with_suffix('.jsonl').name}.")


def require_new(file: Path, *, overwrite: bool) -> None:
    """See that nothing is lost by writing a file: before what is written in it is made, which may take long.

    Raises:
        ConfigError: There is such a file and `overwrite` is not set.
    """
    if file.exists() and not overwrite:
        raise ConfigError(f"{file} is there already; choose another file, or give {as_typed(overwrite=True)}.")
