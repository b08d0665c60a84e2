"""Whether other work keeps the cores busy while something is measured on them."""

import os


def busy_cores() -> str | None:
    """What a time that is measured now is worth, in a sentence; None where there is a core for all that wants one.

    The load of the last minute counts what ran or waited for a core, this process too, on the whole machine.
    """
    load, count = _load(), os.cpu_count() or 1
    if load <= count:
        return None
    return (
        f"note: {load:.1f} threads wanted the {count} cores of this machine in the last minute, so that each gets less "
        "than a core. The time above was measured so, and changes with that other work."
    )


def _load() -> float:
    """The mean number of threads that ran or waited in the last minute; 0 where the system does not tell."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows; a system that hides it
        return 0.0
