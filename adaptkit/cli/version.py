"""`adaptkit version`."""

from adaptkit.cli.answer import Answer
from adaptkit.version import __version__


def version() -> Answer:
    """Print the version."""
    return Answer({"version": __version__}, __version__)
