"""The progress bars of transformers, which would break ours, and stand where nothing was asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

from transformers.utils import logging


@contextmanager
def transformers_bars_hidden() -> Iterator[None]:
    """While open, transformers shows none: reading and writing take about a second."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
