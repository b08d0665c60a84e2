"""How objectives train: what each reads, its targets, and its loss on the hidden states."""

from adaptkit.training.objectives.clm import CausalObjective
from adaptkit.training.objectives.distill import DistillObjective, depths_of
from adaptkit.training.objectives.masking import MaskingRule
from adaptkit.training.objectives.mlm import MaskedObjective, masked_objective
from adaptkit.training.objectives.objective_training import ObjectiveTraining
from adaptkit.training.objectives.softmax import softmax_vocabulary

__all__ = [
    "CausalObjective",
    "DistillObjective",
    "MaskedObjective",
    "MaskingRule",
    "ObjectiveTraining",
    "depths_of",
    "masked_objective",
    "softmax_vocabulary",
]
