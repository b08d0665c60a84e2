"""What a killed process left beside a place that it was writing to, and how a living one shows that it is at work."""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NEW, OLD = "new", "old"


def beside(place: Path, kind: str) -> str:
    """The beginning of the names of folders that wait to be moved to a place, or were moved away from it."""
    return f".{place.name}-{kind}-"


@contextmanager
def held(path: Path) -> Iterator[None]:
    """While open, others see that somebody works at this file or folder; the system forgets it with the process."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # Where a file system has no locks, nothing beside the place is ever taken for left behind.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def recover(place: Path) -> None:
    """Put in its place what a kill between two renames left beside it, and delete what killed writers left half-done.

    What a living process works at stays.
    """
    try:
        entries = list(place.parent.iterdir())
    except OSError:
        return
    # tempfile's names end in eight of these.
    name = re.compile(rf"\.{re.escape(place.name)}-(?:({NEW}|{OLD})-)?([a-z0-9_]{{8}})")
    found = {entry: match for entry in entries if (match := name.fullmatch(entry.name))}
    busy = {match[2] for entry, match in found.items() if _is_held(entry)}
    left = {entry: match for entry, match in found.items() if match[2] not in busy}
    if not place.exists():
        _put_back(place, [entry for entry, match in left.items() if match[1] == OLD])
    for entry in left:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            with suppress(OSError):
                entry.unlink()


def discard(place: Path) -> None:
    """Delete a folder, so that even after a kill it is there whole or not at all."""
    with suppress(OSError):
        aside = Path(tempfile.mkdtemp(prefix=beside(place, NEW), dir=place.parent))
        place.rename(aside)
        shutil.rmtree(aside)


def _put_back(place: Path, moved_away: list[Path]) -> None:
    """What is new was whole when what is old was moved away for it."""
    for old in moved_away:
        new = old.with_name(old.name.replace(beside(place, OLD), beside(place, NEW), 1))
        with suppress(OSError):
            (new if new.is_dir() else old).rename(place)
            return


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
