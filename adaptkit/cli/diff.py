"""`adaptkit diff`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.terminal.amounts import counted
from adaptkit.terminal.plain_text import one_line

if TYPE_CHECKING:
    from adaptkit.weights.compare import Comparison


def diff(
    before: Annotated[Path, typer.Argument(help="folder of an adapter")],
    after: Annotated[Path, typer.Argument(help="folder of another")],
) -> Answer:
    """Compare two adapters. Shows config, provenance, scores, and each layer's norm and the cosine between the two."""
    from adaptkit.storage import load_adapter
    from adaptkit.weights.compare import compare

    found = compare(load_adapter(before), load_adapter(after))
    lines = [
        _summary(found),
        *(f"{fact.name}: {_cell(fact.before)} -> {_cell(fact.after)}" for fact in found.facts),
        *(f"{score.task}, {score.metric}: {_cell(score.before)} -> {_cell(score.after)}" for score in found.scores),
    ]
    if not found.same_weights:
        lines.append("layer\tnorm before\tafter\tcosine")
        lines += [
            "\t".join([layer.module, *map(_cell, (layer.norm_before, layer.norm_after, layer.cosine))])
            for layer in found.layers
        ]
    return Answer({**_plain(found), "summary": lines[0]}, "\n".join(lines))


def _summary(found: "Comparison") -> str:
    """All of it in a sentence: weights, how far layers are apart, and how many facts and scores differ."""
    differing = f"{counted(len(found.facts), 'fact')} and {counted(len(found.scores), 'score')} differ"
    if found.same_weights:
        return f"the weights are the same; {differing}"
    cosines = [layer.cosine for layer in found.layers if layer.cosine is not None]
    apart = f" (cosines of {len(cosines)} layers: {min(cosines):.2f} to {max(cosines):.2f})" if cosines else ""
    alone = len(found.layers) - len(cosines)
    incomparable = f"; {counted(alone, 'layer')} not comparable" if alone else ""
    return f"the weights differ{apart}{incomparable}; {differing}"


def _plain(found: "Comparison") -> dict[str, object]:
    return {"same_weights": found.same_weights, "facts": found.facts, "scores": found.scores, "layers": found.layers}


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else one_line(str(value))
