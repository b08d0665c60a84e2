"""`adaptkit inspect`."""

from adaptkit.cli.arguments import FolderArgument
from adaptkit.format.folder import Folder
from adaptkit.format.structure import read_structure
from adaptkit.terminal.amounts import bytes_text
from adaptkit.terminal.console import PlainConsole

_out = PlainConsole()


def inspect_adapter(folder: FolderArgument) -> None:
    """Check the structure of an adapter and print its card. Loads no backbone."""
    found = read_structure(Folder(folder))
    # Without the front matter, which is for model hubs.
    _out.print(found.render_card().partition("\n---\n")[2].strip())
    _out.print(f"structure sound: {len(found.shapes)} tensors, {bytes_text(len(found.weights))}, ", end="")
    _out.print(f"SHA-256 {found.record.weights_sha256}")
    _out.print(f"backbone fingerprint {found.record.backbone.fingerprint.id}", end="")
    _out.print(f", tokenizer {found.record.backbone.tokenizer_sha256[:12]}")
