"""A folder with one file of text for each language, parallel by line, such as FLORES or NTREX."""

from collections.abc import Mapping
from pathlib import Path

from adaptkit.data.parallel import ParallelCorpus, open_parallel
from adaptkit.data.rows import has_rows
from adaptkit.errors import ConfigError, SourceNotFound, UnknownLanguage
from adaptkit.languages import canonical_tag, language_name
from adaptkit.terminal.asking import as_typed

_CODES_SHOWN = 30


def language_files(folder: Path) -> Mapping[str, Path]:
    """The plain files whose names begin with a language (`swh_Latn.txt.gz`, `sw.txt`, `swh_Latn.devtest`), by tag.

    Raises:
        SourceNotFound: There is no such folder, or no such file in it.
        ConfigError: Two files of one language.
    """
    if not folder.is_dir():
        raise SourceNotFound(
            f"there is no folder {folder}; name one with a file of sentences for each language, or give pairs by "
            f"language: {as_typed(data={'sw': 'en-sw.tsv'})}."
        )
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        tag = _language_of(path)
        if tag in found:
            raise ConfigError(f"{folder} has two files of {tag}: {found[tag].name} and {path.name}; take one away.")
        if tag is not None:
            found[tag] = path
    if not found:
        raise SourceNotFound(f"{folder} has no plain file named by a language, such as swh_Latn.txt or sw.txt.gz.")
    return found


def language_pairs(folder: Path, *, source: str, target: str) -> ParallelCorpus:
    """The lines of two of its files, which are each other's translations.

    Raises:
        SourceNotFound: There is no file of one of the languages.
    """
    files = language_files(folder)
    for tag in (source, target):
        if tag not in files:
            there = ", ".join(sorted(files)[:_CODES_SHOWN])
            raise SourceNotFound(f"{folder} has no file of sentences in {language_name(tag)} ({tag}); it has {there}.")
    return open_parallel((files[source], files[target]), target=target, source_language=source)


def _language_of(path: Path) -> str | None:
    if not path.is_file() or has_rows(path) or path.name.startswith("."):
        return None
    try:
        return canonical_tag(path.name.partition(".")[0])
    except UnknownLanguage:
        return None
