"""What a reader may not do while it reads: hang, fill the memory, write, start or fetch anything."""

import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # noqa: F401 - the first import looks at /proc/stat, and transformers makes it while a reader is watched
import torch

MOST_SECONDS = 5.0
"""Of the processor, or ten times as many to wait: other work may be on the machine."""
MUCH_TOO_LONG_S = 60.0
"""Then not even the alarm has ended it, and the process is ended with a traceback."""
MOST_BYTES = 500 * 2**20

SCRATCH = Path(tempfile.mkdtemp(prefix="adaptkit-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))  # noqa: S108
"""Where targets lay out what is to be read."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_LIBRARIES = (sys.prefix, sys.base_prefix, Path(torch.__file__).parents[1], Path(__file__).parents[1])
_MAY_READ = tuple(os.path.realpath(place) for place in (SCRATCH, *_LIBRARIES))
_NEVER = (
    *("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate"),
    *("os.utime", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "os.startfile", "os.putenv"),
    *("subprocess.Popen", "socket.connect", "socket.bind", "socket.getaddrinfo", "urllib.Request", "webbrowser.open"),
    *("pickle.find_class", "marshal.load", "ctypes.dlopen", "shutil.move", "shutil.rmtree", "shutil.copyfile"),
)
_DRIVER = ("ctypes.dlopen", ("libnvidia-ml.so.1",))
"""A torch that is built for CUDA looks for GPUs with it, each time that it is asked for a device."""
_watching = False
_deeds: list[str] = []


class Misdeed(BaseException):
    """Something that no reader may do; no `except Exception` of the reader hides it."""


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if not _watching:
        return
    if event == "open":
        path, _, flags = arguments
        place = os.fsdecode(path) if isinstance(path, str | bytes) else ""
        if isinstance(flags, int) and flags & _WRITING:
            _deeds.append(f"opens {place!r} for writing")
        elif place and not _opened(place, flags).startswith(_MAY_READ):
            _deeds.append(f"reads {place!r}")
    elif event in _NEVER and (event, arguments) != _DRIVER:
        _deeds.append(f"{event} {arguments!r:.200}")


def _opened(place: str, flags: object) -> str:
    """The file that is opened; a symlink that must not be followed is itself."""
    if isinstance(flags, int) and flags & os.O_NOFOLLOW:
        return os.path.join(os.path.realpath(os.path.dirname(place)), os.path.basename(place))  # noqa: PTH118, PTH119, PTH120
    return os.path.realpath(place)


sys.addaudithook(_audit)


@contextmanager
def watched() -> Iterator[None]:
    """Raise `Misdeed` for what the block did."""
    global _watching
    _deeds.clear()
    held, most = _resident_bytes(), _peak_bytes()
    until = time.thread_time() + MOST_SECONDS, time.monotonic() + 10 * MOST_SECONDS
    signal.signal(signal.SIGALRM, lambda *_: _look_at_the_time(*until))
    # Again and again, as the first one may be raised where Python only prints it.
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS, min(1.0, MOST_SECONDS))
    # A module that is imported for the first time while a reader is watched would be written as bytecode.
    writes_none, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    _watching = True
    try:
        yield
    finally:
        _watching = False
        sys.dont_write_bytecode = writes_none
        signal.setitimer(signal.ITIMER_REAL, 0)
        peak = _peak_bytes()
        if _deeds:
            raise Misdeed("; ".join(dict.fromkeys(_deeds)))
        if peak > most and peak - held > MOST_BYTES:
            raise Misdeed(f"takes {(peak - held) / 2**20:,.0f} MB")


def _look_at_the_time(processor_until: float, until: float) -> None:
    if time.thread_time() >= processor_until or time.monotonic() >= until:
        raise Misdeed(f"takes more than {MOST_SECONDS:g} s")


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _resident_bytes() -> int:
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * resource.getpagesize()
