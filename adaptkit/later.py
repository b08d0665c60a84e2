"""What needs torch, named where nothing may import it."""

from collections.abc import Callable
from importlib import import_module
from typing import Any


def later(module: str, name: str) -> Callable[[], Any]:
    """A call that imports a module when it is made, and gives what has this name there.

    A row of a table names its upper half so: listing the table imports none of it.
    """

    def imported() -> Any:  # noqa: ANN401 - whatever the module has there
        return getattr(import_module(module), name)

    return imported
