"""Labelled tasks as files: formats, benchmarks, and what every example has."""

from adaptkit.data.tasks.benchmarks import TASKS
from adaptkit.data.tasks.contamination import Leak, leaked
from adaptkit.data.tasks.examples import Example, TaskData
from adaptkit.data.tasks.nli import NLI_LABELS, canonical_nli_label
from adaptkit.data.tasks.specs import TaskSpec

__all__ = ["NLI_LABELS", "TASKS", "Example", "Leak", "TaskData", "TaskSpec", "canonical_nli_label", "leaked"]
