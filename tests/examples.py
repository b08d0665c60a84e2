"""Files of docs/examples, as strangers would have them: registered while a test runs, and forgotten after it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from adaptkit.cli.named_modules import import_named
from adaptkit.methods import METHODS
from adaptkit.objectives import OBJECTIVES
from adaptkit.task_types import TASK_TYPES

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


@contextmanager
def forgotten(name: str) -> Iterator[None]:
    """A module of this name may be imported meanwhile, and register what it has."""
    with pytest.MonkeyPatch.context() as patch:
        for table in (METHODS, OBJECTIVES, TASK_TYPES):
            patch.setattr(table, "_rows", dict(table))
        try:
            yield
        finally:
            sys.modules.pop(name, None)


@contextmanager
def imported(name: str) -> Iterator[ModuleType]:
    """The example of this name."""
    with forgotten(name):
        import_named(["--import", str(EXAMPLES / f"{name}.py")])
        yield sys.modules[name]
