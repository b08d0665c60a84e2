"""Objectives: towards what language and domain adapters are trained, each with what a caller may ask of it."""

from adaptkit.errors import ConfigError
from adaptkit.objectives.clm import CLM, Clm
from adaptkit.objectives.distill import DISTILL, Distill
from adaptkit.objectives.mlm import MLM, Mlm
from adaptkit.objectives.nsp import NSP, Nsp
from adaptkit.objectives.objective import BackboneKind, Objective
from adaptkit.table import Table

OBJECTIVES = Table[Objective]("objective")
for _row in (MLM, CLM, DISTILL, NSP):
    OBJECTIVES.register(_row)


def objective_of(options: object) -> Objective:
    """The objective whose options these are.

    Raises:
        ConfigError: They are of none that is registered.
    """
    found = next((row for row in OBJECTIVES.values() if type(options) is row.options), None)
    if found is None:
        raise ConfigError(
            f"objective is auto, {', '.join(OBJECTIVES)} or the options of one, such as adaptkit.Distill(), found "
            f"{options!r}."
        )
    return found


def objective_for(*, translated: bool, kind: BackboneKind) -> Objective:
    """The objective that is taken where the caller leaves it open.

    With translations it is one that makes use of them.
    """
    suiting = [row for row in OBJECTIVES.values() if row.by_default and row.suits(translated=translated, kind=kind)]
    return max(suiting, key=lambda row: row.needs_translations)


__all__ = [
    "OBJECTIVES",
    "BackboneKind",
    "Clm",
    "Distill",
    "Mlm",
    "Nsp",
    "Objective",
    "objective_for",
    "objective_of",
]
