"""`adaptkit sign`."""

from pathlib import Path
from typing import Annotated

import typer

from adaptkit.terminal.console import PlainConsole

_out = PlainConsole()


def sign_place(
    place: Annotated[Path, typer.Argument(help="folder of an adapter, or of adapters with an index")],
    key: Annotated[Path, typer.Option(help="private key that ssh-keygen -t ed25519 made")],
) -> None:
    """Sign an adapter or a zoo with an SSH key. Others can tell by it that it is yours."""
    from adaptkit.verification import sign

    path = sign(place, key, passphrase=lambda: typer.prompt(f"passphrase of {key}", hide_input=True, err=True))
    _out.print(f"{path} is written; others check it with: adaptkit verify {place} --signed-by {key.name}.pub")
