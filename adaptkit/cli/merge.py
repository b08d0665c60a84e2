"""`adaptkit merge`."""

from pathlib import Path
from typing import Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import BackboneOption
from adaptkit.composition import Stack


def merge_adapters(
    folders: Annotated[list[Path], typer.Argument(help="folders of LoRA adapters, lowest first")],
    output: Annotated[Path, typer.Option(help="folder to write, which must not exist")],
    backbone: BackboneOption = None,
) -> Answer:
    """Fold LoRA, DoRA and IA3 adapters into a backbone. The copy is an ordinary folder of transformers."""
    from adaptkit.model import load_model
    from adaptkit.storage import load_adapter
    from adaptkit.weights.merge import merge

    model, adapters = load_model(backbone), [load_adapter(folder) for folder in folders]
    model.attach(*adapters)
    merged = merge(model, Stack(*(adapter.id for adapter in adapters)), max_error=1e-3)
    merged.save(output)
    told = f"{merged.model.backbone.name} is in {output} (output error {merged.output_error:.1e})"
    return Answer({"folder": str(output), "output_error": merged.output_error}, told, confirms=True)
