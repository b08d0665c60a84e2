"""The classes of transformers that an adapter is written for."""

from typing import Literal, TypeAlias

ForClass: TypeAlias = Literal[
    "AutoModel",
    "AutoModelForMaskedLM",
    "AutoModelForCausalLM",
    "AutoModelForSequenceClassification",
    "AutoModelForTokenClassification",
    "AutoModelForQuestionAnswering",
    "AutoModelForMultipleChoice",
]
"""The transformers classes that a LoRA can be written for."""
