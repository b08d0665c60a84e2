"""Compositions are values: which adapters, in which order. No tensors live here."""

from adaptkit.composition.expression import AdapterId, Stack

__all__ = ["AdapterId", "Stack"]
