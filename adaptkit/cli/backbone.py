"""`adaptkit backbone`."""

from pathlib import Path
from typing import Annotated

import typer

from adaptkit.errors import ConfigError
from adaptkit.terminal.console import PlainConsole

backbone_app = typer.Typer(
    help="The embedded backbone.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)
_out = PlainConsole()


@backbone_app.callback()
def backbone() -> None:
    """The embedded backbone."""


@backbone_app.command()
def export(folder: Annotated[Path, typer.Argument(help="folder to write, which must not exist")]) -> None:
    """Write the embedded backbone as an ordinary transformers folder."""
    from adaptkit.backbones import embedded

    if folder.exists():
        raise ConfigError(f"{folder} exists already; nothing was written. Give another folder.")
    embedded.export(folder)
    _out.print(f"{embedded.NAME} ({embedded.RELEASE}) is in {folder}")
