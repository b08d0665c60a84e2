"""Files of docs/examples, as strangers would have them: registered while a test runs, and forgotten after it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

import adaptkit
from adaptkit.cli.named_modules import import_named
from adaptkit.methods import METHODS
from adaptkit.objectives import OBJECTIVES
from adaptkit.regularisers import REGULARISERS
from adaptkit.storage import Adapter
from adaptkit.task_types import TASK_TYPES
from tests.calls import QUIET
from tests.tiny import tiny_model
from tests.unit.heads.examples import topics

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


@contextmanager
def forgotten(name: str) -> Iterator[None]:
    """A module of this name may be imported meanwhile, and register what it has."""
    with pytest.MonkeyPatch.context() as patch:
        for table in (METHODS, OBJECTIVES, REGULARISERS, TASK_TYPES):
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


def stacks_evaluated(adapter: Adapter, *, run: adaptkit.Run, method: str = "lora") -> list[str]:
    """The stacks of a report on a language adapter below a task adapter that is trained in English."""
    model = tiny_model()
    task = adaptkit.train_adapter(task="topics", data=topics(), lang="en", method=method, backbone=model, run=run)
    report = adaptkit.evaluate(
        model,
        task="topics",
        adapter=task,
        languages=["sw"],
        data={"sw": topics()},
        zoo=[adapter],
        source_language="en",
        compare=["none", "target"],
        measuring=QUIET,
    )
    return [cell.stack for cell in report.results.cells]
