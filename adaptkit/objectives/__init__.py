"""Training objectives: from hidden states of the last block to a loss."""

from adaptkit.objectives.causal import CausalObjective
from adaptkit.objectives.distill import DistillObjective, depths_of
from adaptkit.objectives.masked import MaskedObjective, MaskingRule
from adaptkit.objectives.objective import IGNORED, Batch, Objective

__all__ = [
    "IGNORED",
    "Batch",
    "CausalObjective",
    "DistillObjective",
    "MaskedObjective",
    "MaskingRule",
    "Objective",
    "depths_of",
]
