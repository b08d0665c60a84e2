"""`adaptkit inspect`."""

import sys
from typing import Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import FolderArgument
from adaptkit.errors import ConfigError
from adaptkit.format.folder import Folder
from adaptkit.format.record import Record
from adaptkit.format.structure import read_structure
from adaptkit.terminal.amounts import bytes_text


def inspect_adapter(
    folder: FolderArgument,
    settings: Annotated[
        bool, typer.Option("--settings", help="print only its training's settings, as a file for train --config")
    ] = False,
) -> Answer:
    """Check the structure of an adapter and print its card. Loads no backbone."""
    found = read_structure(Folder(folder))
    if settings:
        return _settings(found.record)
    record, size = found.record, len(found.weights)
    facts = {
        "id": record.id,
        "languages": record.languages,
        "method": found.config.method_name,
        "parameters": found.n_parameters,
        "size_bytes": size,
        "weights_sha256": record.weights_sha256,
        "backbone": {"name": record.backbone.name, "fingerprint": record.backbone.fingerprint.id},
        "below": record.below,
        "card": record.card,
    }
    lines = [
        # Without the front matter, which is for model hubs.
        found.render_card().partition("\n---\n")[2].strip(),
        f"structure sound: {len(found.shapes)} tensors, {bytes_text(size)}, SHA-256 {record.weights_sha256}",
        f"backbone fingerprint {record.backbone.fingerprint.id}, tokenizer {record.backbone.tokenizer_sha256[:12]}",
    ]
    return Answer(facts, "\n".join(lines))


def _settings(record: Record) -> Answer:
    from adaptkit.requests.settings_file import settings_file

    if record.card.training is None:
        raise ConfigError(f"the card of {record.id} does not say how it was trained, so there are no settings.")
    text = settings_file(record.id, record.kind, record.backbone.name, record.card.training)
    return Answer({"id": record.id, "settings": record.card.training.settings}, lambda: _write(text))


def _write(text: str) -> None:
    """As it is: lines of a file are not folded."""
    sys.stdout.write(text)
