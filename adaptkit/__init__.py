"""adaptkit: language, domain and task adapters for languages that big models hardly know."""

from adaptkit.backbones import Vocabulary, vocabulary_of
from adaptkit.composition import Average, Fuse, Stack
from adaptkit.data.sample import sample_pairs
from adaptkit.data.tasks import TASKS, TaskData, read_labelled, read_task, task_languages
from adaptkit.evaluation import TransferReport, evaluate
from adaptkit.format.card import TrainingFacts
from adaptkit.interchange import (
    HubAdapter,
    as_pipeline,
    as_sentence_transformer,
    export_onnx,
    export_peft,
    import_adapterhub,
    import_peft,
    pull_adapter,
    push_adapter,
)
from adaptkit.model import AdaptedModel, load_model
from adaptkit.objectives import OBJECTIVES, Clm, Distill, Mlm
from adaptkit.recipes import Estimate, TrainingRequest, estimate_adapter, train_adapter
from adaptkit.storage import Adapter, Zoo, load_adapter
from adaptkit.verification import sign
from adaptkit.version import __version__
from adaptkit.weights.combine import combine
from adaptkit.weights.compare import Comparison, compare
from adaptkit.weights.merge import Merged, merge

__all__ = [
    "OBJECTIVES",
    "TASKS",
    "AdaptedModel",
    "Adapter",
    "Average",
    "Clm",
    "Comparison",
    "Distill",
    "Estimate",
    "Fuse",
    "HubAdapter",
    "Merged",
    "Mlm",
    "Stack",
    "TaskData",
    "TrainingFacts",
    "TrainingRequest",
    "TransferReport",
    "Vocabulary",
    "Zoo",
    "__version__",
    "as_pipeline",
    "as_sentence_transformer",
    "combine",
    "compare",
    "estimate_adapter",
    "evaluate",
    "export_onnx",
    "export_peft",
    "import_adapterhub",
    "import_peft",
    "load_adapter",
    "load_model",
    "merge",
    "pull_adapter",
    "push_adapter",
    "read_labelled",
    "read_task",
    "sample_pairs",
    "sign",
    "task_languages",
    "train_adapter",
    "vocabulary_of",
]
