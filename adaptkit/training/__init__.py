"""Training: data, one loop, checkpoints, and what a run will cost."""

from adaptkit.training.checkpoint import CheckpointFolder
from adaptkit.training.data import TrainingData
from adaptkit.training.loop import RunResult, TrainingRun
from adaptkit.training.progress import Display, open_display
from adaptkit.training.settings import TrainingSettings

__all__ = [
    "CheckpointFolder",
    "Display",
    "RunResult",
    "TrainingData",
    "TrainingRun",
    "TrainingSettings",
    "open_display",
]
