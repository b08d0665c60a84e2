"""Options that every command has."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from adaptkit.cli.answer import Answer
from adaptkit.terminal.console import notes_hidden


def _from_file(context: typer.Context, config: Path | None) -> Path | None:
    """Let the file say what is not said in the shell."""
    if config is None or context.resilient_parsing:
        return config
    from adaptkit.requests.options_file import in_shape, known_name, read_options_file, words_of

    flagged = {
        written.lstrip("-").replace("-", "_"): each
        for each in context.command.params
        for written in each.opts
        if written.startswith("--") and each.name != "config"
    }
    context.default_map = {}
    for name, value in read_options_file(config).items():
        meant: Any = flagged[known_name(name, flagged, config)]
        several = meant.multiple or meant.nargs != 1
        context.default_map[meant.name] = in_shape(words_of(name, value), several=several)
    return config


_CONFIG = typer.Option(
    "--config",
    help="TOML file of options, such as max_steps = 300; flags in the shell override it",
    metavar="<file.toml>",
    is_eager=True,
    callback=_from_file,
)
_JSON = typer.Option("--json", help="print the answer as JSON")
_QUIET = typer.Option(
    "--quiet", "-q", help="print only the answer, without notes and progress; warnings and errors remain"
)


def with_shared_options(command: Callable[..., Answer | None], *, answers: bool = True) -> Callable[..., None]:
    """A typer command that has `--config` and `--quiet` besides its own, and, if it `answers`, `--json`."""
    own = inspect.signature(command).parameters.values()
    added = {
        "config": _parameter("config", Path | None, _CONFIG, None),
        "quiet": _parameter("quiet", bool, _QUIET, False),
    }
    if answers and not any(map(_gives_json, own)):
        added["as_json"] = _parameter("as_json", bool, _JSON, False)

    def run(**given: Any) -> None:  # noqa: ANN401 - whatever the options hold
        asked = {name: given.pop(name) for name in added}
        with notes_hidden(asked["quiet"]):
            answer = command(**given)
        if answer is not None:
            answer.give(as_json=asked.get("as_json", False), quiet=asked["quiet"])
            if answer.status:
                raise typer.Exit(answer.status)

    run.__doc__ = command.__doc__
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [*(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own), *added.values()]
    )
    return run


def _parameter(name: str, kind: Any, declared: Any, default: object) -> inspect.Parameter:  # noqa: ANN401
    annotation = Annotated[kind, declared]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _gives_json(parameter: inspect.Parameter) -> bool:
    """Whether a command has such a flag of its own, as one that prints a line for each input."""
    # In an annotation, typer takes the first name of a flag for its default.
    declared = getattr(parameter.annotation, "__metadata__", ())
    return any("--json" in (each.default, *(each.param_decls or ())) for each in declared)
