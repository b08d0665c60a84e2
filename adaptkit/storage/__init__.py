"""Adapters as values and as folders that are safe to read. The format is docs/file-format.md."""

from adaptkit.storage.adapter import Adapter, load_adapter
from adaptkit.storage.card import Card, Evaluation, TrainingFacts
from adaptkit.storage.listing import Listing
from adaptkit.storage.probes import Probe
from adaptkit.storage.zoo import Zoo

__all__ = ["Adapter", "Card", "Evaluation", "Listing", "Probe", "TrainingFacts", "Zoo", "load_adapter"]
