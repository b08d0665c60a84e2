"""One JSON file a run: what was measured, and on what commit, hardware and versions."""

import json
import os
import platform
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("torch", "transformers", "peft", "accelerate", "safetensors", "numpy", "scikit-learn", "bitsandbytes")


def data_folder() -> Path:
    folder = Path(os.environ.get("ADAPTKIT_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        raise SystemExit(f"no research data at {folder}; name its folder in ADAPTKIT_DATA")
    return folder


def write_result(case: str, *, seeds: list[int], config: Mapping[str, Any], measured: Mapping[str, Any]) -> Path:
    """Append a result; nothing that was there is changed, and of two runs that end in one second, one waits."""
    content = described(case, seeds=seeds, config=config, measured=measured)
    while True:
        path = RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{case}.json"
        with suppress(FileExistsError), path.open("x", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=1) + "\n")
            return path
        time.sleep(1)


def described(case: str, *, seeds: list[int], config: Mapping[str, Any], measured: Mapping[str, Any]) -> dict[str, Any]:
    """A result with what is known of where it was taken."""
    return {
        "case": case,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "seeds": seeds,
        "hardware": _hardware(),
        "versions": _versions() | {"python": platform.python_version()},
        "config": config,
        "measured": measured,
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _commit() -> str:
    """The commit of this checkout; a copy of it may have come without its history."""
    here = Path(__file__).parent
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False)  # noqa: S607
    if commit.returncode:
        return "unknown: a copy without its history"
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=here, check=False)  # noqa: S607
    return commit.stdout.strip() + ("" if changed.returncode == 0 else " with uncommitted changes")


def _hardware() -> dict[str, Any]:
    # A torch older than adaptkit asks for, as a machine with a GPU may have, does not say what its CPU can do.
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return {
        "cpu": capabilities.get("cpu_name", platform.processor()),
        "cores": os.cpu_count(),
        "bf16": bool(capabilities.get("avx512_bf16")),
        "amx": bool(capabilities.get("amx_bf16")),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }
