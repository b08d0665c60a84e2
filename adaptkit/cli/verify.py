"""`adaptkit verify`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptkit.cli.arguments import BackboneOption
from adaptkit.errors import AdaptkitError, ConfigError
from adaptkit.format.card import card_gaps
from adaptkit.format.folder import Folder
from adaptkit.format.spec import INDEX_FILE, RECORD_FILE, SIGNATURE_FILE
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.plain_text import one_line

if TYPE_CHECKING:
    from adaptkit.model import AdaptedModel
    from adaptkit.storage import LoadableListing

_out = PlainConsole()


def verify(
    place: Annotated[Path, typer.Argument(help="an adapter, or a folder or archive of adapters")],
    backbone: BackboneOption = None,
    signed_by: Annotated[Path | None, typer.Option(help="public SSH key of whoever must have signed it")] = None,
) -> None:
    """Check that an adapter or a zoo is whole and fits a backbone. By hashes, structure, tokenizer, probes."""
    from adaptkit.model import load_model
    from adaptkit.storage import Zoo
    from adaptkit.verification import require_signature
    from adaptkit.verification import verify as verify_adapter

    if signed_by is not None:
        top = Zoo(place).top if place.is_file() else Folder(place)
        _out.print(f"ok  signature: by {require_signature(top, signed_by)}")
    if not place.is_file() and ((place / RECORD_FILE).exists() or not place.is_dir()):
        for check in verify_adapter(place, backbone=backbone):
            _out.print(f"ok  {check}")
        return
    zoo = Zoo(place)
    if not len(zoo):
        raise ConfigError(f"{place} holds no adapter.")
    names = zoo.top.names()
    if SIGNATURE_FILE in names and signed_by is None:
        _out.print("--  signed; say by whom it must be, with --signed-by, to have that checked")
    if INDEX_FILE in names or SIGNATURE_FILE in names:
        zoo.check()
        _out.print(f"ok  {INDEX_FILE}: every file is the one that it lists, and no other is there")
    model = load_model(backbone)
    failed = sum(not _verified(listing, model) for listing in zoo)
    _out.print(f"{len(zoo) - failed} of {len(zoo)} adapters are sound, and for {model.backbone.name}")
    if failed:
        raise typer.Exit(1)


def _verified(listing: "LoadableListing", model: "AdaptedModel") -> bool:
    from adaptkit.verification import verify as verify_adapter

    try:
        *_, outputs = verify_adapter(listing.load(), backbone=model)
    except AdaptkitError as error:
        _out.print(f"NO  {one_line(str(listing.files.path))}: {one_line(str(error))}")
        return False
    lacks = "; its card lacks " + ", ".join(gaps) if (gaps := card_gaps(listing.card)) else ""
    _out.print(f"ok  {one_line(str(listing.files.path))}: {outputs}{lacks}")
    return True
