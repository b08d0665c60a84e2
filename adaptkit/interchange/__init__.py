"""Adapters of other libraries read as ours and written as theirs, stacks for others to use, and adapters on a hub."""

from adaptkit.interchange.adapterhub import import_adapterhub
from adaptkit.interchange.evaluation_modules import evaluation_module
from adaptkit.interchange.hub import HubAdapter, pull_adapter, push_adapter
from adaptkit.interchange.onnx import OnnxFolder, export_onnx
from adaptkit.interchange.onnx_adapter import OnnxAdapter, export_onnx_adapter
from adaptkit.interchange.onnx_backbone import export_onnx_backbone
from adaptkit.interchange.onnx_zoo import OnnxZoo, export_onnx_zoo
from adaptkit.interchange.peft import import_peft
from adaptkit.interchange.peft_export import export_peft
from adaptkit.interchange.peft_stack import export_peft_stack
from adaptkit.interchange.pipelines import as_pipeline
from adaptkit.interchange.sentence_transformers import as_sentence_transformer
from adaptkit.interchange.transformers_model import as_transformers
from adaptkit.interchange.written_by import written_by

__all__ = [
    "HubAdapter",
    "OnnxAdapter",
    "OnnxFolder",
    "OnnxZoo",
    "as_pipeline",
    "as_sentence_transformer",
    "as_transformers",
    "evaluation_module",
    "export_onnx",
    "export_onnx_adapter",
    "export_onnx_backbone",
    "export_onnx_zoo",
    "export_peft",
    "export_peft_stack",
    "import_adapterhub",
    "import_peft",
    "pull_adapter",
    "push_adapter",
    "written_by",
]
