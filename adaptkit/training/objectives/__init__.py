"""Training objectives: from hidden states of the last block to a loss."""

from adaptkit.training.objectives.clm import CausalObjective
from adaptkit.training.objectives.distill import DistillObjective, depths_of
from adaptkit.training.objectives.mlm import MaskedObjective, MaskingRule

__all__ = [
    "CausalObjective",
    "DistillObjective",
    "MaskedObjective",
    "MaskingRule",
    "depths_of",
]
