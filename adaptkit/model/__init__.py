"""A frozen backbone with adapters attached to it."""

from adaptkit.model.adapted import AdaptedModel
from adaptkit.model.loading import load_model
from adaptkit.model.stacks import ResolvedStack, StackLike

__all__ = ["AdaptedModel", "ResolvedStack", "StackLike", "load_model"]
