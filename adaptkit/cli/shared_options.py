"""Options that every command has."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer


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
    help="TOML file of options, such as max_steps = 300; what is said in the shell comes before it",
    metavar="<file.toml>",
    is_eager=True,
    callback=_from_file,
)
_SHARED = (
    inspect.Parameter(
        "config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[Path | None, _CONFIG]
    ),
)


def with_shared_options(command: Callable[..., None]) -> Callable[..., None]:
    """A typer command that has them besides its own."""

    def run(**given: Any) -> None:  # noqa: ANN401 - whatever the options hold
        del given["config"]
        command(**given)

    own = inspect.signature(command).parameters.values()
    run.__doc__ = command.__doc__
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [*(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own), *_SHARED]
    )
    return run
