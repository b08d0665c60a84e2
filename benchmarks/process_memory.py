"""Memory of this process, as the kernel counts it."""

import ctypes
import gc
from pathlib import Path

_STATUS = Path("/proc/self/status")


def resident_bytes() -> int:
    """What is resident now, mapped files included: transformers maps its checkpoints."""
    gc.collect()
    # What was freed goes back to the kernel, so that only what is held is seen.
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    return _field("VmRSS")


def forget_peak() -> int:
    """Begin a new peak; gives what is resident now."""
    now = resident_bytes()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return now


def peak_bytes() -> int:
    """The most that was resident since `forget_peak`."""
    return _field("VmHWM")


def _field(name: str) -> int:
    line = next(line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024
