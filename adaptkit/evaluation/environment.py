"""On what an evaluation ran."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version

import torch

from adaptkit.backbones.hardware import hardware_name
from adaptkit.version import __version__


def environment(device: torch.device, *, bf16: bool) -> Mapping[str, str]:
    """Date, hardware, versions and precision, for the report."""
    hardware = f"CPU, {os.cpu_count()} cores" if device.type == "cpu" else hardware_name(device)
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "hardware": f"{hardware} ({platform.machine()})",
        "threads": str(torch.get_num_threads()),
        "precision": "bfloat16 blocks" if bf16 else "float32",
        "adaptkit": __version__,
        "torch": torch.__version__,
        "transformers": version("transformers"),
        "python": platform.python_version(),
    }
