"""`python -m benchmarks.gpu_speed.worker SIDE DEVICE FOLDER [--tiny]`: measures the rows that come in, one a line.

It imports first and says that it is ready, so that two sides import at once and measure in turn.
"""

import argparse
import gc
import importlib
import json
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu_speed.place import Place
from benchmarks.gpu_speed.rows import COMPILED, OURS, PEER

_MODULES = {OURS: ("serving", "training"), COMPILED: ("serving",), PEER: ("peer",)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("side")
    parser.add_argument("device")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tiny", action="store_true")
    given = parser.parse_args()
    # What libraries print does not belong among the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    side = Side(given.side, Place(torch.device(given.device), given.folder, given.tiny))
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        found = side.measured(asked["what"], asked["options"])
        print(json.dumps(found), file=answers, flush=True)
        if "error" in found:
            # A pass whose recording broke off may leave the device's random numbers, or worse, unusable here.
            sys.exit(1)


class Side:
    """One of the two, in this process."""

    def __init__(self, side: str, place: Place) -> None:
        self._place = place
        self._modules = [importlib.import_module(f"benchmarks.gpu_speed.{name}") for name in _MODULES[side]]

    def measured(self, what: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Figures, or the error that came instead of them."""
        if not self._place.tiny:
            gc.collect()  # or what earlier rows held would count as this one's memory
        try:
            function = next(vars(module)[what] for module in self._modules if what in vars(module))
            found: dict[str, Any] = function(self._place, **options)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"[:1500], "trace": traceback.format_exc(limit=-5)[-1500:]}
        return found


if __name__ == "__main__":
    main()
