"""Whether other work keeps the cores busy while something is measured on them."""

import math
import os
import time

import psutil

_A_MINUTE_S = 60.0
_LEAST = 0.5
"""Threads of others that are told; the load is a mean, and what this process ran is known roughly."""


def busy_cores() -> str | None:
    """What a time that is measured now is worth, in a sentence; None where there is a core for all that wants one.

    The load of the last minute counts what ran or waited for a core on the whole machine. What this process ran, and
    those that it has started and seen end, is taken off.
    """
    load, count = _load(), os.cpu_count() or 1
    others = load - _own_load()
    if load <= count or others < _LEAST:
        return None
    return (
        f"note: besides this work, {others:.1f} threads wanted the {count} cores of this machine in the last minute, "
        "so that each gets less than a core. The time above was measured so, and changes with that other work."
    )


def _load() -> float:
    """The mean number of threads that ran or waited in the last minute; 0 where the system does not tell."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows; a system that hides it
        return 0.0


def _own_load() -> float:
    """What of the load is of this process, which ran as many threads at a time as it has seconds of cores in one."""
    age_s = max(time.time() - psutil.Process().create_time(), 1e-3)
    used = os.times()
    used_s = used.user + used.system + used.children_user + used.children_system
    # The load is a mean whose past fades; one that began just now has not grown into it yet.
    return float(used_s / age_s * (1 - math.exp(-age_s / _A_MINUTE_S)))
