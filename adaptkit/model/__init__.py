"""A frozen backbone with adapters attached to it."""

from adaptkit.model.adapted import AdaptedModel, StackLike, load_model

__all__ = ["AdaptedModel", "StackLike", "load_model"]
