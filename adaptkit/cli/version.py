"""`adaptkit version`."""

from adaptkit.terminal.console import PlainConsole
from adaptkit.version import __version__

_out = PlainConsole()


def version() -> None:
    """Print the version."""
    _out.print(__version__)
