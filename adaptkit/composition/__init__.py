"""Adapter ids and the compositions of them: values with no tensors in them."""

from adaptkit.composition.adapter_id import AdapterId
from adaptkit.composition.ensemble import Ensemble, one_stack
from adaptkit.composition.expression import Average, Composition, Fuse, Part, Stack, at_strength, ids_of, resolved
from adaptkit.composition.parser import parse_composition

__all__ = [
    "AdapterId",
    "Average",
    "Composition",
    "Ensemble",
    "Fuse",
    "Part",
    "Stack",
    "at_strength",
    "ids_of",
    "one_stack",
    "parse_composition",
    "resolved",
]
