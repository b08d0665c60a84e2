"""Scores, and how sure one may be of a difference between two of them."""

from adaptkit.scores.answer_tokens import SQUAD, AnswerNormaliser
from adaptkit.scores.bootstrap import Difference, paired_class_differences, paired_difference, paired_metric_difference
from adaptkit.scores.classification import Accuracy, MacroF1
from adaptkit.scores.closeness import Closeness
from adaptkit.scores.correlation import PearsonCorrelation
from adaptkit.scores.label_sets import LabelSetF1
from adaptkit.scores.metric import Metric
from adaptkit.scores.mlqa import mlqa_normaliser
from adaptkit.scores.qa import AnswerF1, ExactMatch
from adaptkit.scores.retrieval import RecallAt, ReciprocalRank, translation_ranks
from adaptkit.scores.tagging import EntityF1, EntityMacroF1
from adaptkit.scores.translation import Bleu, ChrF
from adaptkit.scores.words import UNREAD, UNTAGGED, WordAccuracy, WordMacroF1

__all__ = [
    "SQUAD",
    "UNREAD",
    "UNTAGGED",
    "Accuracy",
    "AnswerF1",
    "AnswerNormaliser",
    "Bleu",
    "ChrF",
    "Closeness",
    "Difference",
    "EntityF1",
    "EntityMacroF1",
    "ExactMatch",
    "LabelSetF1",
    "MacroF1",
    "Metric",
    "PearsonCorrelation",
    "RecallAt",
    "ReciprocalRank",
    "WordAccuracy",
    "WordMacroF1",
    "mlqa_normaliser",
    "paired_class_differences",
    "paired_difference",
    "paired_metric_difference",
    "translation_ranks",
]
