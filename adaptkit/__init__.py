"""adaptkit: language, domain and task adapters for languages that big models hardly know."""

from adaptkit.composition import Stack
from adaptkit.data.sample import sample_pairs
from adaptkit.model import AdaptedModel, load_model
from adaptkit.recipes import Estimate, TrainingRequest, estimate_adapter, train_adapter
from adaptkit.storage import Adapter, load_adapter
from adaptkit.version import __version__

__all__ = [
    "AdaptedModel",
    "Adapter",
    "Estimate",
    "Stack",
    "TrainingRequest",
    "__version__",
    "estimate_adapter",
    "load_adapter",
    "load_model",
    "sample_pairs",
    "train_adapter",
]
