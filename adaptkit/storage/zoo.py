"""A zoo: a folder of adapter folders, at any depth."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from adaptkit.errors import SourceNotFound
from adaptkit.storage.adapter import Adapter, load_adapter
from adaptkit.storage.format import RECORD_FILE


def adapters_in(zoo: str | PathLike[str]) -> Iterator[tuple[Path, Adapter]]:
    """Each adapter of a zoo with its folder, in the order of the paths. Hidden folders are left out.

    Raises:
        SourceNotFound: There is no such folder.
        AdapterFileError: A folder in it that is no sound adapter.
    """
    for folder in folders_in(zoo):
        yield folder, load_adapter(folder)


def folders_in(zoo: str | PathLike[str]) -> Iterator[Path]:
    """Each adapter folder of a zoo, unread, in the order of the paths. Hidden folders are left out.

    Raises:
        SourceNotFound: There is no such folder.
    """
    root = Path(zoo)
    if not root.is_dir():
        raise SourceNotFound(f"there is no folder {root} of adapters.")
    for record in sorted(root.rglob(RECORD_FILE)):
        folder = record.parent
        if not any(part.startswith(".") for part in folder.relative_to(root).parts):
            yield folder
