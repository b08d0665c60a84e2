"""What a caller's `source` names: files on this machine, a data set on the hub, or sentences."""

import os
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from adaptkit import network
from adaptkit.data.packed import format_suffix, is_packed
from adaptkit.data.rows import ROW_SUFFIXES
from adaptkit.errors import SourceNotFound

if TYPE_CHECKING:
    # Importing it takes a second and 100 MiB with pandas, so it is imported where it is used.
    import datasets

DataSet: TypeAlias = "datasets.Dataset | datasets.IterableDataset"

_HUB_ID = re.compile(r"(?P<name>[\w-][\w.-]*/[\w-][\w.-]*)(?::(?P<config>[\w.-]+))?", re.ASCII)
_MOST_NAMES = 3


def existing_path(named: str | os.PathLike[str]) -> Path:
    """Give the path of a file that is there (`~` is the home folder).

    Raises:
        SourceNotFound: there is nothing, or a folder; it says which names are near.

    """
    path = in_home(named)
    if not _exists(path):
        raise SourceNotFound(f"there is no file {path}.{_near_names(path)}")
    if path.is_dir():
        raise SourceNotFound(f"{path} is a folder: name the files in it, for example {path / 'corpus.txt'}.")
    return path


def is_file(named: str | os.PathLike[str]) -> bool:
    """Tell whether this names an existing file; a long sentence is asked in vain and is none."""
    path = Path(named)
    return _exists(path) and not path.is_dir()


def in_home(named: str | os.PathLike[str]) -> Path:
    """Give a path whose `~` is the home folder."""
    path = Path(named)
    return path.expanduser() if path.parts[:1] == ("~",) else path


def is_folder(named: str | os.PathLike[str]) -> bool:
    """Tell whether this names an existing folder (`~` is the home folder)."""
    path = in_home(named)
    return _exists(path) and path.is_dir()


def looks_like_file(text: str) -> bool:
    """Tell whether a string ends as the name of a text file does: `.txt`, `.jsonl`, `.csv.gz`, ..."""
    path = Path(text)
    return is_packed(path) or format_suffix(path) in {".txt", *ROW_SUFFIXES}


def names_files(elements: Sequence[object]) -> bool:
    """Tell whether a list is of files and not of sentences.

    It is if it holds a path object, or if every element is a string that is an existing file or ends like one.

    Raises:
        SourceNotFound: some elements are existing files and others neither are nor look so.
    """
    if any(isinstance(element, os.PathLike) for element in elements):
        return True
    strings = [element for element in elements if isinstance(element, str)]
    existing = {text for text in strings if is_file(text)}
    if strings and len(strings) == len(elements) and all(text in existing or looks_like_file(text) for text in strings):
        return True
    if existing:
        other = next(element for element in elements if element not in existing)
        raise SourceNotFound(
            f"a list of {len(elements)} names {len(existing)} existing files (such as {min(existing)}) and other "
            f"things (such as {other!r:.80}). For files, correct the names; for sentences, write them to a file."
        )
    return False


def hub_id(text: str) -> tuple[str, str | None] | None:
    """Take `owner/name` or `owner/name:config` apart; None for what cannot be a hub id.

    A name that ends like a text file, or whose owner is a folder here, is a path.
    """
    match = _HUB_ID.fullmatch(text)
    if match is None or looks_like_file(text) or Path(text).parent.is_dir():
        return None
    return match["name"], match["config"]


def is_data_set(source: object) -> TypeGuard[DataSet]:
    """Tell whether this is a `datasets` object; where nobody imported `datasets`, nothing is."""
    module = sys.modules.get("datasets")
    return module is not None and isinstance(source, module.Dataset | module.IterableDataset)


def load_from_hub(
    name: str, config: str | None, *, split: str = "train", revision: str | None = None
) -> "datasets.IterableDataset":
    """Stream one split of a data set on the hub; `revision` is a branch of it.

    Raises:
        SourceNotFound: no hub answers, or it has no such data set, configuration or split.

    """
    check_hub(name)
    import datasets

    branch = {} if revision is None else {"revision": revision}
    try:
        return datasets.load_dataset(name, config, split=split, streaming=True, **branch)
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise SourceNotFound(
            f"there is no file {name}, and the hub gave no data set of that name ({type(error).__name__}: {reason}). "
            "Check the name (owner/name or owner/name:config) and the network, or download it and name its files."
        ) from error


def check_hub(name: str) -> None:
    """Refuse to look for a data set on a hub that does not answer.

    Raises:
        SourceNotFound: no hub answers.

    """
    if not network.hub_answers():
        raise SourceNotFound(
            f"there is no file {name}, and no hub answers that could have a data set of that name. "
            "Check the name and the network, or download it elsewhere and name its files."
        )


def describe_files(paths: Sequence[Path]) -> str:
    """Name files without their folders: `a.txt`, or `5 files: a.txt, b.txt, c.txt and 2 more`."""
    names = ", ".join(path.name for path in paths[:_MOST_NAMES])
    more = f" and {len(paths) - _MOST_NAMES} more" if len(paths) > _MOST_NAMES else ""
    return names if len(paths) == 1 else f"{len(paths)} files: {names}{more}"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # longer than a name may be
        return False


def _near_names(path: Path) -> str:
    if not _exists(path.parent):
        return f" There is no folder {path.parent} either."
    near = get_close_matches(path.name, sorted(entry.name for entry in path.parent.iterdir()), cutoff=0.75)
    return f" Did you mean {' or '.join(near)}?" if near else ""
