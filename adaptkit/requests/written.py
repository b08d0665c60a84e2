"""Sources of text as a shell writes them: a file, or two plain ones, and what is known of it, with commas between."""

import re
from collections.abc import Sequence
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from adaptkit.data.rows import has_rows
from adaptkit.data.source import Source
from adaptkit.data.sources import is_file, is_folder
from adaptkit.errors import ConfigError

Written = str | Path | tuple[Path, ...] | Source
FACTS = tuple(entry.name for entry in fields(Source) if entry.name != "text")
_FACT = re.compile(r"\w+=")


def texts(given: Sequence[str]) -> Written | list[Written]:
    """One may be a hub id; several are files, whatever they are called. What is known of one stands behind it."""
    if len(given) == 1:
        return _source(given[0], _text)
    return [_source(part, Path) for part in given]


def parallels(given: Sequence[str]) -> Written | list[Written]:
    """One source, or a list. A pair of plain files is `a.en,a.ha`; two plain files and nothing else are such a pair."""
    if len(given) == 2 and all(map(_is_plain, given)):
        return Path(given[0]), Path(given[1])
    sources = [_source(part, Path) for part in given]
    return sources[0] if len(sources) == 1 else sources


def _source(written: str, read: Any) -> Written:  # noqa: ANN401 - what makes a path or a name of a text
    """`a.tmx,licence=CC0-1.0,weight=2` or `a.en,a.ha`; a file that is called so is that file."""
    pieces = [written] if is_file(written) else written.split(",")
    files = [piece for piece in pieces if piece.partition("=")[0] not in FACTS]
    facts = dict(piece.split("=", 1) for piece in pieces if piece not in files)
    if is_file(whole := ",".join(files)):
        files = [whole]
    if unknown := [piece for piece in files if _FACT.match(piece) and not is_file(piece)]:
        near = get_close_matches(unknown[0].partition("=")[0], FACTS, n=1)
        hint = f" Did you mean {near[0]}=?" if near else ""
        raise ConfigError(f"{unknown[0]!r:.80} is not a file; a source takes {', '.join(FACTS)}.{hint}")
    if len(files) not in (1, 2):
        raise ConfigError(
            f"{written!r:.80} names {len(files)} files; a source is one file, or two as a pair: a.en,a.ha."
        )
    text = read(files[0]) if len(files) == 1 else tuple(Path(file) for file in files)
    return Source(text, **_typed(facts)) if facts else text


def _typed(facts: dict[str, str]) -> dict[str, Any]:
    if "weight" not in facts:
        return dict(facts)
    try:
        return {**facts, "weight": float(facts["weight"])}
    except ValueError:
        raise ConfigError(f"the weight of a source is a number above 0, found {facts['weight']!r:.40}.") from None


def _text(written: str) -> str:
    return written


def _is_plain(written: str) -> bool:
    return not has_rows(Path(written)) and not is_folder(written) and isinstance(_source(written, Path), Path)
