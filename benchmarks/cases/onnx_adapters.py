"""What LoRAs as inputs of one ONNX graph cost, beside a merged graph: the embedded backbone in onnxruntime, one thread.

`python -m benchmarks.run onnx_adapters [--rounds 5] [--shapes 1x16,8x32,64x32]`. A round asks each graph in turn, so
that a busy moment meets them alike. Times are the least of the rounds, in milliseconds of the processor, which do not
count waiting for a core; adapters are random LoRAs of rank 8 at all linear layers, stacks three of them.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

import adaptkit
from adaptkit.model import AdaptedModel
from benchmarks.peers.adaptkit_serving import random_adapter
from benchmarks.write_results import write_result

RANK, N_ADAPTERS, DEPTH = 8, 32, 3
MERGED, TERM = "merged", "unmerged, a graph of its own"
Array = np.ndarray[Any, Any]
Passes = Mapping[str, Callable[[], object]]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shapes", default="1x16,8x32,64x32", help="rows x tokens")
    options = parser.parse_args(arguments)
    shapes = [
        (int(rows), int(tokens)) for rows, _, tokens in (shape.partition("x") for shape in options.shapes.split(","))
    ]
    measured: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        sizes = written(adaptkit.load_model(), Path(folder))
        graphs = Graphs(Path(folder))
        for rows, tokens in shapes:
            found = timed(graphs.passes(rows, tokens), options.rounds)
            measured[f"{rows} x {tokens}"] = {
                name: {"ms": round(ms, 1), "over merged": round(ms / found[MERGED], 3)} for name, ms in found.items()
            }
            print(rows, tokens, json.dumps(measured[f"{rows} x {tokens}"], indent=1), flush=True)
    config = {**vars(options), "rank": RANK, "adapters": N_ADAPTERS, "depth": DEPTH, "load": os.getloadavg()}
    versions = {"onnxruntime": onnxruntime.__version__, "bytes": sizes}
    print(write_result("onnx_adapters", seeds=[0], config={**config, **versions}, measured=measured))


def written(model: AdaptedModel, folder: Path) -> dict[str, int]:
    """Write all graphs and the file of an adapter, and say how large they are."""
    model.attach(random_adapter(model, "language", "x0", RANK, 0))
    adaptkit.export_onnx_backbone(model, folder / "inputs")
    adaptkit.export_onnx_adapter(model, "x0", folder / "inputs")
    adaptkit.export_onnx(model, "x0", folder / TERM)
    adaptkit.export_onnx(adaptkit.merge(model, "x0").model, None, folder / MERGED)
    files = (Path("inputs/model.onnx"), Path("inputs/x0.onnx_adapter"), Path(MERGED) / "model.onnx")
    return {str(file): (folder / file).stat().st_size for file in files}


class Graphs:
    """Sessions on the graphs, and weights of one and of many adapters as onnxruntime holds them."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._kept = folder, list[Any]()
        self._sessions = {name: _opened(folder / name / "model.onnx") for name in (MERGED, TERM, "inputs")}
        self._one = self._under(folder / "inputs" / "x0.onnx_adapter")
        self._many = self._bank(RANK)
        self._stacks = self._bank(DEPTH * RANK)

    def passes(self, rows: int, tokens: int) -> Passes:
        """What is timed, by name."""
        generator = np.random.default_rng(0)
        ids = generator.integers(5, 2000, (rows, tokens))
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        by_row = {**given, "adapter_of_row": generator.integers(1, N_ADAPTERS + 1, rows)}
        wanted = ["sentence_embedding"]
        inputs = self._sessions["inputs"]
        return {
            MERGED: lambda: self._sessions[MERGED].run(wanted, given),
            TERM: lambda: self._sessions[TERM].run(wanted, given),
            "inputs, no adapter": lambda: inputs.run(wanted, given),
            "inputs, one adapter": lambda: inputs.run(wanted, given, self._one),
            f"inputs, {N_ADAPTERS} adapters by row": lambda: inputs.run(wanted, by_row, self._many),
            f"inputs, {N_ADAPTERS} stacks of {DEPTH} by row": lambda: inputs.run(wanted, by_row, self._stacks),
        }

    def _bank(self, rank: int) -> Any:  # noqa: ANN401 - onnxruntime has no types
        generator = np.random.default_rng(rank)
        arrays: dict[str, Array] = {}
        for place in self._sessions["inputs"].get_overridable_initializers():
            if "lora" in place.name:
                shape = [N_ADAPTERS + 1, *(size if isinstance(size, int) else rank for size in place.shape[1:])]
                arrays[place.name] = (0.02 * generator.standard_normal(shape)).astype(np.float32)
            elif place.name != "adapter_of_row":
                shape = [N_ADAPTERS + 1, *(size if isinstance(size, int) else 0 for size in place.shape[1:])]
                arrays[place.name] = np.zeros(shape, np.float32)
        file = onnxruntime.AdapterFormat()
        file.set_parameters({name: onnxruntime.OrtValue.ortvalue_from_numpy(it) for name, it in arrays.items()})
        path = self._folder / f"bank-{rank}.onnx_adapter"
        file.export_adapter(str(path))
        return self._under(path)

    def _under(self, path: Path) -> Any:  # noqa: ANN401
        adapter, options = onnxruntime.LoraAdapter(), onnxruntime.RunOptions()
        adapter.Load(str(path))
        options.add_active_adapter(adapter)
        self._kept.append(adapter)
        return options


def timed(passes: Passes, rounds: int) -> dict[str, float]:
    """The least milliseconds of the processor of each, in so many rounds after one that is not counted."""
    found: dict[str, list[float]] = {name: [] for name in passes}
    for number in range(rounds + 1):
        for name, run in passes.items():
            before = time.process_time()
            run()
            if number:
                found[name].append((time.process_time() - before) * 1e3)
    return {name: min(times) for name, times in found.items()}


def _opened(path: Path) -> Any:  # noqa: ANN401
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
