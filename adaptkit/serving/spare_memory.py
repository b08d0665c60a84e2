"""Memory that was freed, and that the C library keeps for what may come."""

import ctypes
import sys


def give_back() -> bool:
    """Let glibc give it back to the system, and say whether it gave any. Other C libraries are not asked.

    What a batch needs beside the weights comes and goes with its size, and some of it lies where nothing else fits.
    """
    if not sys.platform.startswith("linux"):
        return False
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(0))
