"""`adaptkit inspect`."""

from adaptkit.cli.arguments import FolderArgument
from adaptkit.terminal.console import PlainConsole

_out = PlainConsole()


def inspect_adapter(folder: FolderArgument) -> None:
    """Read an adapter folder, check its structure and print its card. Loads no backbone."""
    from adaptkit.storage import load_adapter

    adapter = load_adapter(folder)
    # Without the front matter, which is for model hubs.
    _out.print(adapter.render_card().partition("\n---\n")[2].strip())
    _out.print(f"structure sound: {len(adapter.tensors)} tensors, {adapter.size_bytes / 2**20:.1f} MiB, ", end="")
    _out.print(f"SHA-256 {adapter.weights_sha256}")
    _out.print(f"backbone fingerprint {adapter.origin.fingerprint.id}", end="")
    _out.print(f", tokenizer {adapter.origin.tokenizer_sha256[:12]}")
