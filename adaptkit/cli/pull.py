"""`adaptkit pull`."""

from pathlib import Path
from typing import Annotated

import typer

from adaptkit.cli.answer import Answer


def pull(
    repo: Annotated[str, typer.Argument(help="owner/name on the hub")],
    revision: Annotated[
        str | None, typer.Option(help="branch, tag or commit (default: the newest on the main branch)")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="folder for the adapter (default: the repository's name)")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the adapter in the folder")] = False,
) -> Answer:
    """Download and check an adapter of a hub (HF_ENDPOINT). An interrupted download resumes."""
    from adaptkit.interchange import pull_adapter

    pulled = pull_adapter(repo, revision=revision, output=output, overwrite=overwrite)
    place = output or repo.rpartition("/")[2]
    sha256 = pulled.adapter.weights_sha256
    facts = {"id": pulled.adapter.id, "folder": str(place), "revision": pulled.revision, "weights_sha256": sha256}
    first = f"{pulled.adapter.id} for {pulled.adapter.origin.name} is in {place}"
    return Answer(facts, f"{first}\nrevision {pulled.revision}, SHA-256 of the weights {sha256}", confirms=True)
