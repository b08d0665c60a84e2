"""Scores, and how sure one may be of a difference between two of them."""

from adaptkit.scores.bootstrap import Difference, paired_difference

__all__ = ["Difference", "paired_difference"]
