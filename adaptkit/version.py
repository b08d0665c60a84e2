"""The version of this package, for cards."""

from importlib.metadata import version

__version__ = version("adaptkit")
