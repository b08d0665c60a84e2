"""Task types as values: a file for each, and the table of all. What computes is in `adaptkit.heads`."""

from adaptkit.task_types.choice import MultipleChoice, PredictedChoice
from adaptkit.task_types.classes import Classes
from adaptkit.task_types.classification import LabelledText, PredictedLabel
from adaptkit.task_types.head import HeadConfig, check_text_prefix, head_for, require_bounded
from adaptkit.task_types.head_fields import HeadFields
from adaptkit.task_types.item import IGNORED, Item, as_ids
from adaptkit.task_types.multilabel import PredictedLabels, TextWithLabels
from adaptkit.task_types.question_answering import PredictedAnswer, Question, Span
from adaptkit.task_types.regression import ScoredText
from adaptkit.task_types.similarity import SimilarPair
from adaptkit.task_types.table import TASK_TYPES, is_example, type_of
from adaptkit.task_types.tagging import PredictedTags, TaggedSentence
from adaptkit.task_types.task_metric import TaskMetric
from adaptkit.task_types.task_type import AnyTaskType, Asked, PlainReading, Reading, TaskType
from adaptkit.task_types.translation import Translation

__all__ = [
    "IGNORED",
    "TASK_TYPES",
    "AnyTaskType",
    "Asked",
    "Classes",
    "HeadConfig",
    "HeadFields",
    "Item",
    "LabelledText",
    "MultipleChoice",
    "PlainReading",
    "PredictedAnswer",
    "PredictedChoice",
    "PredictedLabel",
    "PredictedLabels",
    "PredictedTags",
    "Question",
    "Reading",
    "ScoredText",
    "SimilarPair",
    "Span",
    "TaggedSentence",
    "TaskMetric",
    "TaskType",
    "TextWithLabels",
    "Translation",
    "as_ids",
    "check_text_prefix",
    "head_for",
    "is_example",
    "require_bounded",
    "type_of",
]
