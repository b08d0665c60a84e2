"""The command line: the same verbs as the Python package."""

from adaptkit.cli.app import main

__all__ = ["main"]
