"""Command-line options made from the fields of `TrainingRequest`, so that they cannot drift from the Python names."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from adaptkit.recipes import TrainingRequest

# Options that a shell cannot give as Python does.
_SHELL_TYPES: dict[str, Any] = {
    "text": list[Path] | None,
    "parallel": list[Path] | None,
    "backbone": str | None,
    "output": Path | None,
    "sites": list[str] | None,
    "blocks": list[int] | None,
    "objective": str,
    "method": str,
    "scaling": str,
    "precision": str,
}


def request_options(
    command: Callable[[TrainingRequest], None], *, left_out: frozenset[str] = frozenset()
) -> Callable[..., None]:
    """A typer command with one option for each field of the request; `--text` and `--parallel` may be repeated."""
    hints = get_type_hints(TrainingRequest)
    chosen = [entry for entry in fields(TrainingRequest) if entry.name not in left_out]

    def run(**values: Any) -> None:  # noqa: ANN401 - whatever the options hold
        command(TrainingRequest(**{name: _as_python(name, value) for name, value in values.items()}))

    run.__doc__ = command.__doc__
    run.__signature__ = inspect.Signature([_parameter(entry, hints[entry.name]) for entry in chosen])  # type: ignore[attr-defined]
    return run


def _parameter(entry: "Field[Any]", hint: Any) -> inspect.Parameter:  # noqa: ANN401
    option = typer.Option(help=entry.metadata["help"], show_default=entry.default not in (None, MISSING))
    kind = _SHELL_TYPES.get(entry.name, hint)
    default = inspect.Parameter.empty if entry.default is MISSING else entry.default
    return inspect.Parameter(
        entry.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
    )


def _as_python(name: str, value: Any) -> Any:  # noqa: ANN401
    if name == "text" and isinstance(value, list):
        # A hub id is no path: only a plain string may be one.
        return str(value[0]) if len(value) == 1 else value
    if name == "parallel" and isinstance(value, list):
        return value[0] if len(value) == 1 else value
    return tuple(value) if isinstance(value, list) else value
