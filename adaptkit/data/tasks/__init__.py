"""Labelled tasks: examples, and readers of benchmarks and of a user's own files."""

from adaptkit.data.tasks.benchmarks import TASKS
from adaptkit.data.tasks.contamination import Leak, leaked
from adaptkit.data.tasks.examples import (
    Example,
    LabelledText,
    MultipleChoice,
    Question,
    SimilarPair,
    TaggedSentence,
    TaskData,
    TaskType,
)
from adaptkit.data.tasks.labelled import read_labelled
from adaptkit.data.tasks.nli import NLI_LABELS, canonical_nli_label
from adaptkit.data.tasks.reading import read_task, task_languages, task_spec
from adaptkit.data.tasks.specs import TaskSpec

__all__ = [
    "NLI_LABELS",
    "TASKS",
    "Example",
    "LabelledText",
    "Leak",
    "MultipleChoice",
    "Question",
    "SimilarPair",
    "TaggedSentence",
    "TaskData",
    "TaskSpec",
    "TaskType",
    "canonical_nli_label",
    "leaked",
    "read_labelled",
    "read_task",
    "task_languages",
    "task_spec",
]
