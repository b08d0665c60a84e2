"""Training: data, one loop, checkpoints, and what a run will cost."""

from adaptkit.training.checkpoint import CheckpointFolder
from adaptkit.training.data import RunData, TrainingData
from adaptkit.training.display import Display, open_display
from adaptkit.training.items import TaskItems
from adaptkit.training.loop import TrainingRun
from adaptkit.training.result import RunResult
from adaptkit.training.settings import WARMUP_SHARE, TrainingSettings

__all__ = [
    "WARMUP_SHARE",
    "CheckpointFolder",
    "Display",
    "RunData",
    "RunResult",
    "TaskItems",
    "TrainingData",
    "TrainingRun",
    "TrainingSettings",
    "open_display",
]
