"""`adaptkit index`."""

from pathlib import Path
from typing import Annotated

import typer

from adaptkit.format.catalogue import Catalogue
from adaptkit.format.listing import Listing
from adaptkit.terminal.console import PlainConsole

_out = PlainConsole()


def write_index(folder: Annotated[Path, typer.Argument(help="folder of adapters")]) -> None:
    """Write the index of a zoo. It has every adapter with its facts, and every file with its size and hash."""
    zoo = Catalogue(folder, Listing)
    path = zoo.write_index()
    _out.print(f"{path} lists {len(zoo)} adapters")
