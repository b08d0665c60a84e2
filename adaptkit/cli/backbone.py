"""`adaptkit backbone`."""

from pathlib import Path
from typing import Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.shared_options import with_shared_options
from adaptkit.errors import ConfigError

backbone_app = typer.Typer(
    help="The embedded backbones.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)


@backbone_app.callback()
def backbone() -> None:
    """The embedded backbones."""


def export(
    folder: Annotated[Path, typer.Argument(help="folder to write, which must not exist")],
    backbone: Annotated[
        str | None,
        typer.Option(help="embedded/smollm2-135m, or a GGUF file (default: embedded/multilingual-e5-small)"),
    ] = None,
) -> Answer:
    """Write an embedded backbone, or a GGUF file, as an ordinary transformers folder."""
    from adaptkit.backbones.gguf_file import is_gguf
    from adaptkit.backbones.load import load_backbone
    from adaptkit.backbones.place import embedded_backbone

    if folder.exists():
        raise ConfigError(f"{folder} exists already; nothing was written. Give another folder.")
    if backbone is not None and is_gguf(backbone):
        read = load_backbone(backbone, device="cpu")
        read.save(folder)
        return _written(read.name, read.release, folder)
    chosen = embedded_backbone(backbone)
    chosen.export(folder)
    return _written(chosen.name, chosen.release, folder)


def _written(name: str, release: str, folder: Path) -> Answer:
    facts = {"name": name, "release": release, "folder": str(folder)}
    return Answer(facts, f"{name} ({release}) is in {folder}", confirms=True)


backbone_app.command("export")(with_shared_options(export))
