"""Adapters of other libraries read as ours and written as theirs, and stacks for other libraries to use."""

from adaptkit.interchange.onnx import OnnxFolder, export_onnx
from adaptkit.interchange.peft import export_peft, import_peft
from adaptkit.interchange.pipelines import as_pipeline
from adaptkit.interchange.sentence_transformers import as_sentence_transformer

__all__ = [
    "OnnxFolder",
    "as_pipeline",
    "as_sentence_transformer",
    "export_onnx",
    "export_peft",
    "import_peft",
]
