"""adaptkit: language, domain and task adapters for languages that big models hardly know."""

from adaptkit.composition import Stack
from adaptkit.model import AdaptedModel, load_model
from adaptkit.storage import Adapter, load_adapter

__all__ = ["AdaptedModel", "Adapter", "Stack", "load_adapter", "load_model"]
