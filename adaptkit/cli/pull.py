"""`adaptkit pull`."""

from pathlib import Path
from typing import Annotated

import typer

from adaptkit.terminal.console import PlainConsole

_out = PlainConsole()


def pull(
    repo: Annotated[str, typer.Argument(help="owner/name on the hub")],
    revision: Annotated[
        str | None, typer.Option(help="branch, tag or commit (default: the newest on the main branch)")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="folder for the adapter (default: the repository's name)")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the adapter in the folder")] = False,
) -> None:
    """Fetch an adapter from a model hub (HF_ENDPOINT) and check it. An attempt that broke off is resumed."""
    from adaptkit.interchange import pull_adapter

    pulled = pull_adapter(repo, revision=revision, output=output, overwrite=overwrite)
    place = output or repo.rpartition("/")[2]
    _out.print(f"{pulled.adapter.id} for {pulled.adapter.origin.name} is in {place}", markup=False)
    _out.print(f"revision {pulled.revision}, SHA-256 of the weights {pulled.adapter.weights_sha256}")
