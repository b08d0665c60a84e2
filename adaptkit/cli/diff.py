"""`adaptkit diff`."""

from pathlib import Path
from typing import Annotated

import typer

from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.plain_text import one_line

_out = PlainConsole()


def diff(
    before: Annotated[Path, typer.Argument(help="folder of an adapter")],
    after: Annotated[Path, typer.Argument(help="folder of another")],
) -> None:
    """Compare two adapters. Shows config, provenance, scores, and each layer's norm and the cosine between the two."""
    from adaptkit.storage import load_adapter
    from adaptkit.weights.compare import compare

    found = compare(load_adapter(before), load_adapter(after))
    _out.print("the weights are the same" if found.same_weights else "the weights differ")
    for fact in found.facts:
        _out.print(f"{fact.name}: {_cell(fact.before)} -> {_cell(fact.after)}")
    for score in found.scores:
        _out.print(f"{score.task}, {score.metric}: {_cell(score.before)} -> {_cell(score.after)}")
    if found.same_weights:
        return
    _out.print("layer\tnorm before\tafter\tcosine")
    for layer in found.layers:
        cells = (layer.norm_before, layer.norm_after, layer.cosine)
        _out.print("\t".join([layer.module, *map(_cell, cells)]))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else one_line(str(value))
