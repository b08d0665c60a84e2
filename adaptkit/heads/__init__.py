"""Task types: how examples become token ids, how a head is trained on them, and how its outputs become answers."""

from adaptkit.backbones import Backbone
from adaptkit.config import HeadConfig, TaskType
from adaptkit.heads.choice import Choice, PredictedChoice
from adaptkit.heads.classification import Classification, PredictedLabel
from adaptkit.heads.inputs import examples_of, require_list, without_label
from adaptkit.heads.item import FormatMaker, Item, TaskFormat
from adaptkit.heads.left_out import answers_above, losses
from adaptkit.heads.objective import HeadObjective
from adaptkit.heads.question_answering import PredictedAnswer, QuestionAnswering, Span, longest_answer
from adaptkit.heads.similarity import Similarity
from adaptkit.heads.tagging import PredictedTags, Tagging

_FORMATS: dict[TaskType, FormatMaker] = {
    "classification": Classification,
    "tagging": Tagging,
    "qa": QuestionAnswering,
    "choice": Choice,
    "similarity": Similarity,
}


def format_of(backbone: Backbone, head: HeadConfig, *, max_length: int | None = None) -> TaskFormat:
    """The format of a head's task type; rows are cut (contexts: windowed) at `max_length` tokens."""
    limit = min(max_length or backbone.max_length, backbone.max_length)
    return _FORMATS[head.task_type](backbone, head, max_length=limit)


__all__ = [
    "HeadObjective",
    "Item",
    "PredictedAnswer",
    "PredictedChoice",
    "PredictedLabel",
    "PredictedTags",
    "Span",
    "TaskFormat",
    "answers_above",
    "examples_of",
    "format_of",
    "longest_answer",
    "losses",
    "require_list",
    "without_label",
]
