"""Sources of text as a shell writes them: a file, or two plain ones with a comma between."""

from collections.abc import Sequence
from pathlib import Path

from adaptkit.data.rows import has_rows
from adaptkit.data.sources import is_file

Written = str | Path | tuple[Path, Path]


def texts(given: Sequence[str]) -> str | list[Path]:
    """One may be a hub id; several are files, whatever they are called."""
    return given[0] if len(given) == 1 else [Path(part) for part in given]


def parallels(given: Sequence[str]) -> Written | list[Written]:
    """One source, or a list. A pair of plain files is `a.en,a.ha`; two plain files and nothing else are such a pair."""
    if len(given) == 1:
        return _parallel(given[0])
    if len(given) == 2 and all(map(_is_plain, given)):
        return Path(given[0]), Path(given[1])
    return [_parallel(part) for part in given]


def _parallel(written: str) -> Written:
    first, comma, second = written.partition(",")
    return Path(written) if not comma or is_file(written) else (Path(first), Path(second))


def _is_plain(written: str) -> bool:
    return not has_rows(Path(written)) and isinstance(_parallel(written), Path)
