"""Command-line options made from the fields of `TrainingRequest`, so that they cannot drift from the Python names."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from adaptkit.data.rows import has_rows
from adaptkit.errors import ConfigError
from adaptkit.recipes import TrainingRequest

# Options that a shell cannot give as Python does; those of a list may be repeated.
_SHELL_TYPES: dict[str, Any] = {
    "on": list[Path] | None,
    "data": list[str] | None,
    "text": list[str] | None,
    "parallel": list[Path] | None,
    "backbone": str | None,
    "output": Path | None,
    "bits": int,
    "columns": list[str] | None,
    "labels": list[str] | None,
    "sites": list[str] | None,
    "blocks": list[int] | None,
}
SHELL_HELP = {
    "on": "folder of an adapter to train on top of, frozen; may be repeated",
    "data": "labelled data of a task: a file, or LANG=FILE; may be repeated",
    "text": "text in the language: a file or a hub id; may be repeated",
    "columns": "ROLE=NAME, where a column's name is not recognised, such as pair=sentence2; may be repeated",
    "labels": "a label, in their order; repeat for each; no other may occur (default: those that do)",
    "parallel": "sentences with translations: JSON lines or TSV; two plain files are source and target",
    "sites": "site to act at; may be repeated (default: all of the method's)",
    "blocks": "transformer block to act in, from 0; may be repeated (default: all)",
}


_METAVARS = {
    "on": "<folder>",
    "data": "<file>",
    "text": "<file>",
    "parallel": "<file>",
    "columns": "<role=name>",
    "labels": "<label>",
    "sites": "<site>",
    "blocks": "<number>",
}


def request_options(
    command: Callable[[TrainingRequest], None], *, left_out: frozenset[str] = frozenset()
) -> Callable[..., None]:
    """A typer command with one option for each field of the request."""
    hints = get_type_hints(TrainingRequest)
    chosen = [entry for entry in fields(TrainingRequest) if entry.name not in left_out]

    def run(**values: Any) -> None:  # noqa: ANN401 - whatever the options hold
        command(TrainingRequest(**{name: _as_python(name, value) for name, value in values.items()}))

    run.__doc__ = command.__doc__
    run.__signature__ = inspect.Signature([_parameter(entry, hints[entry.name]) for entry in chosen])  # type: ignore[attr-defined]
    return run


def _parameter(entry: "Field[Any]", hint: Any) -> inspect.Parameter:  # noqa: ANN401
    kind = _SHELL_TYPES.get(entry.name, hint)
    help_text = SHELL_HELP.get(entry.name, entry.metadata["help"])
    flag = f"--{entry.name.replace('_', '-')}"
    if entry.default is False:
        option = typer.Option(flag, help=help_text, show_default=False)
    else:
        option = typer.Option(
            help=help_text, show_default=entry.default not in (None, MISSING), metavar=_METAVARS.get(entry.name)
        )
    default = inspect.Parameter.empty if entry.default is MISSING else entry.default
    return inspect.Parameter(
        entry.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
    )


def _as_python(name: str, value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, list):
        return value
    if not value:
        return _EMPTY.get(name)
    if name == "data":
        return labelled(value)
    if name == "columns":
        return columns_of(value)
    if name == "text" and len(value) > 1:
        return [Path(part) for part in value]  # several are files, whatever they are called
    if name == "parallel" and len(value) == 2 and not any(map(has_rows, value)):
        return tuple(value)
    if name in {"text", "parallel"}:
        return value[0] if len(value) == 1 else value
    return tuple(value)


_EMPTY: dict[str, tuple[()]] = {"on": (), "labels": ()}


def columns_of(values: list[str]) -> dict[str, str]:
    """Columns by their role.

    Raises:
        ConfigError: One that is not written ROLE=NAME.
    """
    pairs = [value.partition("=") for value in values]
    wrong = [value for value, (role, _, name) in zip(values, pairs, strict=True) if not (role and name)]
    if wrong:
        raise ConfigError(f"--columns is written ROLE=NAME, such as pair=sentence2, found {wrong[0]!r:.80}.")
    return {role: name for role, _, name in pairs}


def labelled(values: list[str]) -> Any:  # noqa: ANN401
    """Files, or a mapping of languages to files where they are written so."""
    by_language: dict[str, list[str]] = {}
    for value in values:
        language, equals, file = value.partition("=")
        by_language.setdefault(language if equals else "", []).append(file if equals else value)
    if "" not in by_language:
        return by_language
    if len(by_language) > 1:
        raise ConfigError("--data is given with a language and without one; write LANG=FILE for all, or for none.")
    return by_language[""]
