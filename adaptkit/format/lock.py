"""One writer at a time: a lock on a place that the system lets go of when the process ends, however it ends."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from adaptkit.errors import CannotWrite, ConfigError
from adaptkit.format.leftovers import lock_beside


@contextmanager
def only_writer(place: Path, *, what: str) -> Iterator[None]:
    """While open, nobody else may write to this place who asks here; `what` writes to it is said to others.

    A hidden file beside the place carries the lock. A killed process may leave the file, which locks nothing.

    Raises:
        ConfigError: Somebody else is at it.
        CannotWrite: The file cannot be made.
    """
    path = lock_beside(place)
    made = [parent for parent in place.absolute().parents if not parent.exists()]
    descriptor = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _locked(path)
    except BlockingIOError:
        who = "another process"
        with suppress(OSError):  # it may end just now, and take the file with it
            who = path.read_text(encoding="utf-8", errors="replace").strip() or who
        raise ConfigError(
            f"another {what} writes to {place} already ({who}). Wait until it is done, or give another folder."
        ) from None
    except OSError as error:
        raise CannotWrite(path, error) from error
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            path.unlink()
        if descriptor is not None:
            os.close(descriptor)
        # Folders that were made for it alone.
        with suppress(OSError):
            for parent in made:
                parent.rmdir()


def _locked(path: Path) -> int | None:
    """The open file under lock; None where the file system has no locks."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise
        except OSError:
            os.close(descriptor)
            return None
        # The one before may have deleted the file between the two calls.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                os.truncate(descriptor, 0)
                os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
                return descriptor
        os.close(descriptor)
