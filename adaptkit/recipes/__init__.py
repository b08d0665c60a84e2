"""Recipes: the calls that put text, objective, backbone and loop together."""

from adaptkit.recipes.estimate import Estimate
from adaptkit.recipes.mined_pairs import MinedPairs
from adaptkit.recipes.mining import mine_pairs
from adaptkit.recipes.train import estimate_adapter, train_adapter

__all__ = ["Estimate", "MinedPairs", "estimate_adapter", "mine_pairs", "train_adapter"]
