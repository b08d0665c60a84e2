"""On what an evaluation ran."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version

import torch

from adaptkit.version import __version__


def environment(*, bf16: bool) -> Mapping[str, str]:
    """Date, hardware, versions and precision, for the report."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {os.cpu_count()} cores"
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "hardware": f"{device} ({platform.machine()})",
        "threads": str(torch.get_num_threads()),
        "precision": "bfloat16 blocks" if bf16 else "float32",
        "adaptkit": __version__,
        "torch": torch.__version__,
        "transformers": version("transformers"),
        "python": platform.python_version(),
    }
