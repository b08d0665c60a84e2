"""Folders that adaptkit makes once and keeps: where they lie, and how one is written whole or not at all."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_folder() -> Path:
    """Where adaptkit keeps what it can make again: `ADAPTKIT_CACHE`, or `adaptkit` in the user's cache folder."""
    if named := os.environ.get("ADAPTKIT_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "adaptkit"


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """A folder beside it to write into, which gets its name at the end; an existing folder is left as it is.

    Safe when two processes do it at once: each writes a folder of its own, the first rename wins.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield partial
        for file in partial.iterdir():
            file.chmod(0o644)
        partial.chmod(0o755)
        try:
            partial.rename(folder)
        except OSError:
            if not (folder / "config.json").is_file():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_json(path: Path, content: dict[str, object]) -> None:
    """A JSON object as a file that people can read."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
