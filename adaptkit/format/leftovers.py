"""What a killed process left beside a place that it was writing to, and how a living one shows that it is at work."""

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NEW, OLD = "new", "old"
_HALF_DONE = re.compile(rf"\..+\.adaptkit-(?:{NEW}|{OLD})-[a-z0-9_]{{8}}", re.DOTALL)
_LOCK = ".adaptkit-lock"
_YOUNG_S = 60.0


def beside(place: Path, kind: str) -> str:
    """The beginning of the names of what waits to be moved to a place, or was moved away from it.

    The mark in it is nobody else's: what bears it may be deleted.
    """
    return f".{place.name}.adaptkit-{kind}-"


def lock_beside(place: Path) -> Path:
    """The file that carries the lock on a place."""
    return place.with_name(f".{place.name}{_LOCK}")


def is_of_a_writer(name: str) -> bool:
    """Whether what bears this name is half-done, was moved away or is a lock: there only for a time."""
    return _HALF_DONE.fullmatch(name) is not None or (name.startswith(".") and name.endswith(_LOCK))


def is_half_written(path: Path) -> bool:
    """Whether this is a file that waits to be moved to its place, or was left so by a kill."""
    return _HALF_DONE.fullmatch(path.name) is not None and path.is_file() and not path.is_symlink()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """While open, others see that somebody works at this file or folder; the system forgets it with the process."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # Shared, as NFS gives no other lock on what is open for reading; waited for, as who looks whether it is held
        # has it for a moment. Where a file system has no locks, nothing is ever taken for left behind.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def recover(place: Path) -> None:
    """Put a folder in its place that a kill between two renames left beside it, and delete half-done ones.

    What a living process works at stays, and so does all that does not bear our mark.
    """
    left = _left_beside(place, Path.is_dir)
    if not place.exists():
        _put_back(place, [entry for entry in left if entry.name.startswith(beside(place, OLD))])
    for entry in left:
        shutil.rmtree(entry, ignore_errors=True)


def recover_file(path: Path) -> None:
    """Delete what killed writers of a file left half-done beside it, as `recover` does for a folder."""
    for entry in _left_beside(path, Path.is_file):
        with suppress(OSError):
            entry.unlink()


def discard(place: Path) -> None:
    """Delete a folder, so that even after a kill it is there whole or not at all."""
    with suppress(OSError):
        aside = Path(tempfile.mkdtemp(prefix=beside(place, NEW), dir=place.parent))
        place.rename(aside)
        shutil.rmtree(aside)


def _left_beside(place: Path, is_kind: Callable[[Path], bool]) -> list[Path]:
    """What bears our mark for this place, is of this kind and no symlink, and has nobody who works at it.

    Between its making and its lock, for a moment, nobody holds what is new: so it stays for a minute. Where the old
    folder was moved away for it, that moment was over: what a kill took away is put back at once.
    """
    try:
        entries = list(place.parent.iterdir())
    except OSError:
        return []
    # tempfile's names end in eight of these.
    name = re.compile(f"(?:{re.escape(beside(place, NEW))}|{re.escape(beside(place, OLD))})([a-z0-9_]{{8}})")
    found = {entry: match[1] for entry in entries if (match := name.fullmatch(entry.name))}
    moved = {ending for entry, ending in found.items() if entry.name.startswith(beside(place, OLD))}
    busy = {ending for entry, ending in found.items() if _is_held(entry) or (ending not in moved and _is_young(entry))}
    return [e for e, ending in found.items() if ending not in busy and is_kind(e) and not e.is_symlink()]


def _put_back(place: Path, moved_away: list[Path]) -> None:
    """What is new was whole when what is old was moved away for it."""
    for old in moved_away:
        new = old.with_name(old.name.replace(beside(place, OLD), beside(place, NEW), 1))
        with suppress(OSError):
            (new if new.is_dir() else old).rename(place)
            return


def _is_young(entry: Path) -> bool:
    try:
        return time.time() - entry.lstat().st_mtime < _YOUNG_S
    except OSError:
        return True


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
