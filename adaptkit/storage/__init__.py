"""Adapters with their tensors, in folders and zoos."""

from adaptkit.storage.adapter import Adapter, load_adapter
from adaptkit.storage.zoo import LoadableListing, Zoo

__all__ = ["Adapter", "LoadableListing", "Zoo", "load_adapter"]
