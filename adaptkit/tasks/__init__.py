"""Task types: how examples become token ids, how a head is trained on them, and how its outputs become answers."""

from adaptkit.backbones import Backbone
from adaptkit.config import HeadConfig, TaskType
from adaptkit.tasks.choice import Choice, PredictedChoice
from adaptkit.tasks.classification import Classification, PredictedLabel
from adaptkit.tasks.inputs import examples_of, require_list, without_label
from adaptkit.tasks.item import FormatMaker, Item, TaskFormat
from adaptkit.tasks.losses import answers_above, losses
from adaptkit.tasks.objective import HeadObjective
from adaptkit.tasks.question_answering import PredictedAnswer, QuestionAnswering, Span, longest_answer
from adaptkit.tasks.similarity import Similarity
from adaptkit.tasks.tagging import PredictedTags, Tagging

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
