"""Regularisers: what a task may be trained with besides its own loss, each with what a caller may ask of it."""

from collections.abc import Sequence
from typing import TypeAlias

from adaptkit.errors import ConfigError
from adaptkit.regularisers.coral import CORAL, Coral
from adaptkit.regularisers.dann import DANN, Dann
from adaptkit.regularisers.feature_distillation import FEATURE_DISTILLATION, FeatureDistillation
from adaptkit.regularisers.r_drop import R_DROP, RDrop
from adaptkit.regularisers.regulariser import Regulariser, Weighed
from adaptkit.table import Table, row_of

REGULARISERS = Table[Regulariser]("regulariser")
"""What may be added to the loss of a task: the rows of all regularisers, by name; `register` adds one."""
for _row in (R_DROP, FEATURE_DISTILLATION, CORAL, DANN):
    REGULARISERS.register(_row)

Asked: TypeAlias = str | Weighed
"""A name, which stands for the options with their defaults, or the options themselves."""


def regulariser_of(options: object) -> Regulariser:
    """The regulariser whose options these are.

    Raises:
        ConfigError: They are of none that is registered.
    """
    some = f"{', '.join(REGULARISERS)}, or the options of one, such as adaptkit.RDrop(weight=1.0)"
    return row_of(REGULARISERS, options, f"regularisers takes {some}")


def regularisers_named(asked: Asked | Sequence[Asked]) -> tuple[Weighed, ...]:
    """The options of what is asked for, one or several, in the order of the table; what has the weight 0 is left out.

    Raises:
        ConfigError: A name or value that is none, or one that is given twice.
    """
    several = asked if isinstance(asked, Sequence) and not isinstance(asked, str) else (asked,)
    given = [REGULARISERS.require(each).options() if isinstance(each, str) else each for each in several]
    names = [regulariser_of(each).name for each in given]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise ConfigError(f"regularisers has {', '.join(twice)} twice; give each once.")
    by_name = dict(zip(names, given, strict=True))
    return tuple(by_name[name] for name in REGULARISERS if name in by_name and by_name[name].weight)


__all__ = [
    "REGULARISERS",
    "Asked",
    "Coral",
    "Dann",
    "FeatureDistillation",
    "RDrop",
    "Regulariser",
    "Weighed",
    "regulariser_of",
    "regularisers_named",
]
