"""`adaptkit verify`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import BackboneOption
from adaptkit.cli.json_lines import json_line
from adaptkit.errors import AdaptkitError, ConfigError
from adaptkit.format.card import card_gaps
from adaptkit.format.folder import Folder
from adaptkit.format.spec import INDEX_FILE, RECORD_FILE, SIGNATURE_FILE
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.plain_text import one_line, printable, told_at

if TYPE_CHECKING:
    from adaptkit.model import AdaptedModel
    from adaptkit.storage import LoadableListing

_out = PlainConsole()


def verify(
    place: Annotated[Path, typer.Argument(help="an adapter, or a folder or archive of adapters")],
    backbone: BackboneOption = None,
    signed_by: Annotated[Path | None, typer.Option(help="public SSH key of whoever must have signed it")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the answer as JSON")] = False,
) -> Answer:
    """Check that an adapter or zoo is whole and fits. By hashes, structure, tokenizer, and probes on the backbone."""
    from adaptkit.model import load_model
    from adaptkit.storage import Zoo
    from adaptkit.verification import require_signature
    from adaptkit.verification import verify as verify_adapter

    report = _Report(as_json=as_json)
    say = report.say
    if signed_by is not None:
        top = Zoo(place).top if place.is_file() else Folder(place)
        say(f"ok  signature: by {require_signature(top, signed_by)}")
    if not place.is_file() and ((place / RECORD_FILE).exists() or not place.is_dir()):
        for check in verify_adapter(place, backbone=backbone):
            say(f"ok  {check}")
        return report.answer()
    zoo = Zoo(place)
    if not len(zoo):
        raise ConfigError(f"{place} holds no adapter.")
    names = zoo.top.names()
    if SIGNATURE_FILE in names and signed_by is None:
        say("--  signed; say by whom it must be, with --signed-by, to have that checked")
    if INDEX_FILE in names or SIGNATURE_FILE in names:
        zoo.check()
        say(f"ok  {INDEX_FILE}: every file is the one that it lists, and no other is there")
    model = load_model(backbone)
    failed = sum(not _verified(listing, model, say) for listing in zoo)
    say(f"{len(zoo) - failed} of {len(zoo)} adapters are sound, and for {model.backbone.name}")
    return report.answer(sound=len(zoo) - failed, unsound=failed)


class _Report:
    """Checks, told as soon as they are made."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._lines: list[str] = []

    def say(self, line: str) -> None:
        """A line: `ok`, `NO` or `--`, and what was found."""
        self._lines.append(printable(line))
        if not self._as_json:
            _out.print(line)

    def answer(self, *, sound: int = 1, unsound: int = 0) -> Answer:
        """What was found, of which the words are told already."""
        facts = {"sound": sound, "unsound": unsound, "checks": self._lines}
        if self._as_json:
            sys.stdout.write(json_line(facts) + "\n")
        return Answer(facts, lambda: None, status=1 if unsound else 0)


def _verified(listing: "LoadableListing", model: "AdaptedModel", say: Callable[[str], None]) -> bool:
    from adaptkit.verification import verify as verify_adapter

    try:
        *_, outputs = verify_adapter(listing.load(), backbone=model)
    except AdaptkitError as error:
        say(f"NO  {told_at(listing.files.path, error)}")
        return False
    lacks = "; its card lacks " + ", ".join(gaps) if (gaps := card_gaps(listing.card)) else ""
    say(f"ok  {one_line(str(listing.files.path))}: {outputs}{lacks}")
    return True
