"""Python's search for garbage, which is put off where many small objects are made that all stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_resting = 0
_was_on = False


@contextmanager
def collector_resting() -> Iterator[None]:
    """Let no search for garbage begin meanwhile, in any thread; it is as it was behind the last who asked for that.

    Each search looks at all that was made so far: with some hundred thousand objects it takes longer than making them.
    """
    global _resting, _was_on
    with _lock:
        if not _resting:
            _was_on = gc.isenabled()
            gc.disable()
        _resting += 1
    try:
        yield
    finally:
        with _lock:
            _resting -= 1
            if not _resting and _was_on:
                gc.enable()
