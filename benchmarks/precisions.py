"""The precisions whose accuracy is measured: arguments of `load_model` by name."""

from typing import Any

PRECISIONS: dict[str, dict[str, Any]] = {
    "32": {},
    "16": {"bits": 16},
    "8, paged": {"bits": 8},
    "4, paged": {"bits": 4},
    "4, int8": {"bits": 4, "embeddings": "int8"},
    "4, nf4": {"bits": 4, "embeddings": "nf4"},
}
