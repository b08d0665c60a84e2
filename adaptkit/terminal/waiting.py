"""How the threads of tensor libraries wait for each other: asleep, since other work may share the cores."""

import os
import sys

POLICY = "OMP_WAIT_POLICY"
_SAID_BY = (POLICY, "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


def let_waiting_threads_sleep() -> None:
    """Let threads sleep while they wait, here and in processes that this one starts, unless the environment says how.

    They would count instead, and keep a core from whoever has work for it. Threads read this when torch is imported:
    behind that it would change nothing, and nothing is set.
    """
    if "torch" not in sys.modules and not any(name in os.environ for name in _SAID_BY):
        os.environ[POLICY] = "passive"


def threads_that_wait_sleep() -> bool:
    """Whether the environment says so."""
    return os.environ.get(POLICY, "").lower() == "passive"
