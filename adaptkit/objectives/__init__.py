"""Objectives: towards what language and domain adapters are trained, each with what a caller may ask of it."""

from adaptkit.objectives.alignment import ALIGNMENT, Alignment
from adaptkit.objectives.clm import CLM, Clm
from adaptkit.objectives.distill import DISTILL, Distill
from adaptkit.objectives.gloss import GLOSS, Gloss
from adaptkit.objectives.mlm import MLM, Mlm
from adaptkit.objectives.nsp import NSP, Nsp
from adaptkit.objectives.objective import BackboneKind, Objective
from adaptkit.objectives.ridge import RIDGE, Ridge
from adaptkit.table import Table, row_of

OBJECTIVES = Table[Objective]("objective")
"""What an adapter may learn from text: the rows of all objectives, by name; `register` adds one."""
for _row in (MLM, CLM, DISTILL, GLOSS, NSP, RIDGE, ALIGNMENT):
    OBJECTIVES.register(_row)


def objective_of(options: object) -> Objective:
    """The objective whose options these are.

    Raises:
        ConfigError: They are of none that is registered.
    """
    some = f"{', '.join(OBJECTIVES)} or the options of one, such as adaptkit.Distill()"
    return row_of(OBJECTIVES, options, f"objective is auto, {some}")


def objective_for(*, translated: bool, kind: BackboneKind, glossed: bool = False) -> Objective:
    """The objective that is taken where the caller leaves it open.

    With translations or a dictionary it is one that makes use of them.
    """
    open_to_all = (row for row in OBJECTIVES.values() if row.by_default)
    suiting = [row for row in open_to_all if row.suits(translated=translated, kind=kind, glossed=glossed)]
    return max(suiting, key=lambda row: (row.needs_lexicon, row.needs_translations))


__all__ = [
    "OBJECTIVES",
    "Alignment",
    "BackboneKind",
    "Clm",
    "Distill",
    "Gloss",
    "Mlm",
    "Nsp",
    "Objective",
    "Ridge",
    "objective_for",
    "objective_of",
]
