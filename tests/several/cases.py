"""Trainings that two processes do, and one does too."""

from typing import Any

from tests.glossaries import translated_pairs
from tests.runs import PAIRS, SWAHILI
from tests.unit.heads.examples import choices, tags, topics

# 54 training rows in batches of 7: no two processes have equal shares, and one batch has 5 rows.
_STEPS: dict[str, Any] = {"batch_size": 7, "precision": "fp32", "graphs": "never"}
_TEXT: dict[str, Any] = {**_STEPS, "lang": "sw", "max_steps": 14}
_TASK: dict[str, Any] = {**_STEPS, "max_steps": 6}

WITHOUT_GRADIENT = {"choice": ("head.out.bias",)}
"""By case, what moves no answer, being added to the score of each choice: rounding alone moves it, by whole steps."""
DROPPED, GLOSSARY = "mlm with dropout", "glossary"
INTERRUPTED_AFTER = 11

CASES: dict[str, dict[str, Any]] = {
    "mlm": {**_TEXT, "text": SWAHILI},
    DROPPED: {**_TEXT, "text": SWAHILI, "dropout": 0.3, "gradient_checkpointing": True},
    "mlm with an invertible layer": {**_TEXT, "text": SWAHILI, "invertible": True, "gradient_checkpointing": True},
    "distillation": {**_TEXT, "parallel": PAIRS},
    "distillation on recorded steps": {**_TEXT, "parallel": PAIRS, "graphs": "always"},
    "one row a batch": {**_TEXT, "parallel": PAIRS, "batch_size": 1, "max_steps": 3},
    "choice": {**_TASK, "task": "why", "data": choices()},
    "regularisers": {**_TASK, "task": "topics", "data": topics(), "r_drop": 1.0, "feature_distillation": 0.5},
    "two domains": {**_TASK, "task": "topics", "data": topics(), "dann": 0.5, "unlabelled": SWAHILI},
    "tagging": {**_TASK, "task": "names", "data": tags(), "method": "bottleneck"},
    GLOSSARY: {"precision": "fp32", "lang": "sw", "parallel": translated_pairs(120), "method": "glossary"},
}
