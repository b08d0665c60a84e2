"""`adaptkit sign`."""

from pathlib import Path
from typing import Annotated

import typer

from adaptkit.cli.answer import Answer


def sign_place(
    place: Annotated[Path, typer.Argument(help="folder of an adapter, or of adapters with an index")],
    key: Annotated[Path, typer.Option(help="private key that ssh-keygen -t ed25519 made")],
) -> Answer:
    """Sign an adapter or a zoo with an SSH key. Others can then check that it is yours."""
    from adaptkit.verification import sign

    path = sign(place, key, passphrase=lambda: typer.prompt(f"passphrase of {key}", hide_input=True, err=True))
    told = f"{path} is written; others check it with: adaptkit verify {place} --signed-by {key.name}.pub"
    return Answer({"signature": str(path)}, told, confirms=True)
