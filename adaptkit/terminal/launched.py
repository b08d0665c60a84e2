"""Which of the processes this is that a launcher (torchrun, accelerate) started together."""

import os


def process_index() -> int:
    """The number of this process; 0 where it is the main one, or alone."""
    return int(os.environ.get("RANK", "0"))
