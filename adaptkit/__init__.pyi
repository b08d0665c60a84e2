from .backbones import Vocabulary, vocabulary_of
from .choosing import Candidate, Choice, choose_backbone
from .composition import Average, Ensemble, Fuse, Stack
from .data.lexicon import Lexicon
from .data.sample import sample_pairs
from .data.source import Source
from .data.tasks import TASKS, TaskData
from .evaluation import TransferReport, evaluate
from .explanations import Explanation
from .format.card import TrainingFacts
from .interchange import (
    HubAdapter,
    as_pipeline,
    as_sentence_transformer,
    as_transformers,
    evaluation_module,
    export_onnx,
    export_onnx_adapter,
    export_onnx_backbone,
    export_onnx_zoo,
    export_peft,
    export_peft_stack,
    import_adapterhub,
    import_peft,
    pull_adapter,
    push_adapter,
)
from .labelled import ReadingOptions, read_labelled, read_task, task_languages
from .methods import METHODS, Bottleneck, Dora, Fusion, HeadOnly, Ia3, Lora, Method, Ngrams
from .model import AdaptedModel, FilledMask, FilledToken, Generated, GeneratedPiece, SearchIndex, load_model
from .objectives import OBJECTIVES, Clm, Distill, Gloss, Mlm, Nsp, Ridge
from .plans import PlanSummary, estimate_plan, train_plan
from .projection import ProjectedSentence, Projection, WordTranslation, project_entities, translate_words
from .recipes import Estimate, MinedPairs, estimate_adapter, mine_pairs, train_adapter
from .regularisers import REGULARISERS, Coral, Dann, FeatureDistillation, RDrop
from .requests import (
    DomainRequest,
    Explaining,
    LanguageRequest,
    Measuring,
    Output,
    Planning,
    Pretrained,
    Run,
    Sampling,
    Selection,
    TaskRequest,
    TrainingPlan,
    TrainingReport,
    read_plan,
)
from .storage import Adapter, Zoo, load_adapter
from .task_types import TASK_TYPES
from .transfers import MeasuredWay, TransferredTask, transfer_task
from .verification import sign
from .version import __version__
from .weights.combine import combine
from .weights.compare import Comparison, compare
from .weights.merge import Merged, merge

__all__ = [
    "METHODS",
    "OBJECTIVES",
    "REGULARISERS",
    "TASKS",
    "TASK_TYPES",
    "AdaptedModel",
    "Adapter",
    "Average",
    "Bottleneck",
    "Candidate",
    "Choice",
    "Clm",
    "Comparison",
    "Coral",
    "Dann",
    "Distill",
    "DomainRequest",
    "Dora",
    "Ensemble",
    "Estimate",
    "Explaining",
    "Explanation",
    "FeatureDistillation",
    "FilledMask",
    "FilledToken",
    "Fuse",
    "Fusion",
    "Generated",
    "GeneratedPiece",
    "Gloss",
    "HeadOnly",
    "HubAdapter",
    "Ia3",
    "LanguageRequest",
    "Lexicon",
    "Lora",
    "MeasuredWay",
    "Measuring",
    "Merged",
    "Method",
    "MinedPairs",
    "Mlm",
    "Ngrams",
    "Nsp",
    "Output",
    "PlanSummary",
    "Planning",
    "Pretrained",
    "ProjectedSentence",
    "Projection",
    "RDrop",
    "ReadingOptions",
    "Ridge",
    "Run",
    "Sampling",
    "SearchIndex",
    "Selection",
    "Source",
    "Stack",
    "TaskData",
    "TaskRequest",
    "TrainingFacts",
    "TrainingPlan",
    "TrainingReport",
    "TransferReport",
    "TransferredTask",
    "Vocabulary",
    "WordTranslation",
    "Zoo",
    "__version__",
    "as_pipeline",
    "as_sentence_transformer",
    "as_transformers",
    "choose_backbone",
    "combine",
    "compare",
    "estimate_adapter",
    "estimate_plan",
    "evaluate",
    "evaluation_module",
    "export_onnx",
    "export_onnx_adapter",
    "export_onnx_backbone",
    "export_onnx_zoo",
    "export_peft",
    "export_peft_stack",
    "import_adapterhub",
    "import_peft",
    "load_adapter",
    "load_model",
    "merge",
    "mine_pairs",
    "project_entities",
    "pull_adapter",
    "push_adapter",
    "read_labelled",
    "read_plan",
    "read_task",
    "sample_pairs",
    "sign",
    "task_languages",
    "train_adapter",
    "train_plan",
    "transfer_task",
    "translate_words",
    "vocabulary_of",
]
