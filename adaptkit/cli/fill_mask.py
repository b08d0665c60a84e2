"""`adaptkit fill-mask`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from adaptkit.cli.arguments import BackboneOption, BatchOption, BitsOption, DeviceOption, EmbeddingsOption
from adaptkit.cli.json_lines import json_line
from adaptkit.cli.lines_in import lines_in
from adaptkit.holding import AUTO, require_bits
from adaptkit.requests import Pretrained


def fill_mask(
    texts: Annotated[
        list[str] | None, typer.Argument(help="text with <mask> in it (default: the lines of standard input)")
    ] = None,
    on: Annotated[
        list[Path] | None, typer.Option(help="adapter that acts, lowest first; may be repeated (default: none)")
    ] = None,
    top: Annotated[int, typer.Option(help="how many tokens are shown for each mask")] = 5,
    backbone: BackboneOption = None,
    bits: BitsOption = 32,
    embeddings: EmbeddingsOption = None,
    device: DeviceOption = AUTO,
    batch_size: BatchOption = 32,
) -> None:
    """Show the most probable tokens for each mask in a text. With --on, adapters act.

    What is printed is JSON lines: for each text its masks, each with tokens and probabilities.
    """
    from adaptkit.recipes.foundation import foundation_of, standing
    from adaptkit.recipes.place import model_of

    given = list(texts) if texts else lines_in(None)
    model = model_of(Pretrained(backbone, bits=require_bits(bits), embeddings=embeddings, device=device))
    adapters = foundation_of(on or ()).adapters
    model.attach(*adapters)
    stack = " > ".join(adapter.id for adapter in standing(adapters)) or None
    for masks in model.fill_mask(given, stack=stack, top=top, batch_size=batch_size):
        sys.stdout.write(json_line(masks) + "\n")
