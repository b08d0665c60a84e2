"""Adapter ids and the compositions of them: values with no tensors in them."""

from adaptkit.composition.adapter_id import AdapterId
from adaptkit.composition.expression import Average, Composition, Fuse, Part, Stack, ids_of, resolved

__all__ = ["AdapterId", "Average", "Composition", "Fuse", "Part", "Stack", "ids_of", "resolved"]
