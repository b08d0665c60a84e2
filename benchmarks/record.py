"""One JSON file a run: what was measured, and on what commit, hardware and versions."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("torch", "transformers", "peft", "accelerate", "safetensors", "numpy", "scikit-learn")


def data_folder() -> Path:
    folder = Path(os.environ.get("ADAPTKIT_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        raise SystemExit(f"no research data at {folder}; name its folder in ADAPTKIT_DATA")
    return folder


def write_result(case: str, *, seeds: list[int], config: Mapping[str, Any], measured: Mapping[str, Any]) -> Path:
    """Append a result; nothing that was there is changed."""
    now = datetime.now(UTC)
    content = {
        "case": case,
        "date": now.isoformat(timespec="seconds"),
        "commit": _commit(),
        "seeds": seeds,
        "hardware": _hardware(),
        "versions": {name: version(name) for name in _PACKAGES} | {"python": platform.python_version()},
        "config": config,
        "measured": measured,
    }
    path = RESULTS / f"{now:%Y%m%d-%H%M%S}-{case}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def _commit() -> str:
    here = Path(__file__).parent
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)  # noqa: S607
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=here, check=False)  # noqa: S607
    return commit.stdout.strip() + ("" if changed.returncode == 0 else " with uncommitted changes")


def _hardware() -> dict[str, Any]:
    capabilities = torch.cpu.get_capabilities()
    return {
        "cpu": capabilities.get("cpu_name", platform.processor()),
        "cores": os.cpu_count(),
        "bf16": bool(capabilities.get("avx512_bf16")),
        "amx": bool(capabilities.get("amx_bf16")),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }
