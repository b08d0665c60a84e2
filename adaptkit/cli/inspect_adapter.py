"""`adaptkit inspect`."""

import sys
from typing import Annotated

import typer

from adaptkit.cli.arguments import FolderArgument
from adaptkit.errors import ConfigError
from adaptkit.format.folder import Folder
from adaptkit.format.record import Record
from adaptkit.format.structure import read_structure
from adaptkit.terminal.amounts import bytes_text
from adaptkit.terminal.console import PlainConsole

_out = PlainConsole()


def inspect_adapter(
    folder: FolderArgument,
    settings: Annotated[
        bool, typer.Option("--settings", help="print only its training's settings, as a file for train --config")
    ] = False,
) -> None:
    """Check the structure of an adapter and print its card. Loads no backbone."""
    found = read_structure(Folder(folder))
    if settings:
        sys.stdout.write(_settings(found.record))
        return
    # Without the front matter, which is for model hubs.
    _out.print(found.render_card().partition("\n---\n")[2].strip())
    _out.print(f"structure sound: {len(found.shapes)} tensors, {bytes_text(len(found.weights))}, ", end="")
    _out.print(f"SHA-256 {found.record.weights_sha256}")
    _out.print(f"backbone fingerprint {found.record.backbone.fingerprint.id}", end="")
    _out.print(f", tokenizer {found.record.backbone.tokenizer_sha256[:12]}")


def _settings(record: Record) -> str:
    from adaptkit.requests.settings_file import settings_file

    if record.card.training is None:
        raise ConfigError(f"the card of {record.id} does not say how it was trained, so there are no settings.")
    return settings_file(record.id, record.kind, record.backbone.name, record.card.training)
