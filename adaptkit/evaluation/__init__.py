"""Measuring what an adapter is worth."""

from adaptkit.evaluation.results import Cell, Contrast, TransferResults
from adaptkit.evaluation.strengths import MeasuredStrength, Strengths, compare_strengths
from adaptkit.evaluation.topics import TopicHead
from adaptkit.evaluation.transfer import TransferReport, evaluate

__all__ = [
    "Cell",
    "Contrast",
    "MeasuredStrength",
    "Strengths",
    "TopicHead",
    "TransferReport",
    "TransferResults",
    "compare_strengths",
    "evaluate",
]
