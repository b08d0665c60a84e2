"""Adapters attached for the first time, with nothing kept of them; prints one JSON line.

Run by its path, so that it measures whichever checkout comes first on Python's path.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import torch

import adaptkit


def main(backbone: str, zoo: str) -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as empty:
        os.environ["ADAPTKIT_CACHE"] = empty
        model = adaptkit.load_model(backbone)
        model.encode(["Good morning."])
        adapters = [adaptkit.load_adapter(folder) for folder in sorted(Path(zoo).iterdir())]
        found = {}
        for what in ("first_s", "again_s"):
            wall, processor = time.perf_counter(), time.process_time()
            model.attach(*adapters)
            found[what] = time.process_time() - processor
            found[f"{what}_wall"] = time.perf_counter() - wall
            model.detach(*model.attached)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
