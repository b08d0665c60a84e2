"""Recipes: the calls that put text, objective, backbone and loop together."""

from adaptkit.recipes.estimate import Estimate
from adaptkit.recipes.train import estimate_adapter, train_adapter

__all__ = ["Estimate", "estimate_adapter", "train_adapter"]
