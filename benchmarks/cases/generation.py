"""Text that a decoder writes under LoRA adapters: adaptkit against transformers with peft, own process each, one run.

`python -m benchmarks.run generation [--rounds 2] [--repeats 1] [--new-tokens 32] [--rank 8]`: SmolLM2-135M, greedy, the
same weights, adapters (random, as peft folders), prompts (7 to 25 tokens) and lengths. All rounds are in turn.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import adaptkit
from adaptkit.backbones.place import place_of
from adaptkit.interchange import export_peft
from benchmarks.peers.adaptkit_serving import random_adapter
from benchmarks.peers.generation_prompts import PROMPTS
from benchmarks.process import measured
from benchmarks.write_results import write_result

BACKBONE = "embedded/smollm2-135m"
OURS, PEER = "adaptkit", "peft"
RATES = ("tokens_per_s", "tokens_per_cpu_s")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--new-tokens", type=int, default=32)
    parser.add_argument("--rank", type=int, default=8)
    options = parser.parse_args(arguments)
    runs: dict[str, list[dict[str, Any]]] = {OURS: [], PEER: []}
    with tempfile.TemporaryDirectory() as folder:
        write_adapters(Path(folder), options.rank)
        flags = [f"--backbone={place_of(BACKBONE)}"]
        flags += [f"--new-tokens={options.new_tokens}", f"--repeats={options.repeats}"]
        for number in range(options.rounds):
            for name, found in runs.items():
                found.append(measured(f"{name}_generation", [*flags, f"--adapters={folder}/{name}"]))
                print(number, name, found[-1]["tokens_per_cpu_s"], flush=True)
    results = {name: _summed_up(found) for name, found in runs.items()}
    for what in results[OURS]:
        ours, peer = results[OURS][what], results[PEER][what]
        for rate in RATES:
            ours[f"{rate}_over_peer"] = round(ours[rate] / peer[rate], 2)
        ours["memory_over_peer"] = round(ours["peak_memory_bytes"] / peer["peak_memory_bytes"], 3)
        ours["same_tokens_as_peer"] = _equal(runs[OURS][0]["ids"][what], runs[PEER][0]["ids"][what])
        print(what, ours)
    print(write_result("generation", seeds=[0], config={**vars(options), "backbone": BACKBONE}, measured=results))


def write_adapters(folder: Path, rank: int) -> None:
    """As many random LoRA adapters as there are prompts, for adaptkit, and for peft on a model with a projection."""
    model = adaptkit.load_model(BACKBONE)
    for number in range(len(PROMPTS)):
        adapter = random_adapter(model, "domain", f"x{number:02}", rank, number)
        adapter.save(folder / OURS / adapter.name)
        export_peft(adapter, folder / PEER / adapter.name, for_class="AutoModelForCausalLM")


def _summed_up(runs: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The median speed and the least peak of all rounds, by shape."""
    return {
        what: {
            **{rate: round(median(run[rate][what] for run in runs), 2) for rate in RATES},
            **{f"every {rate}": [round(run[rate][what], 2) for run in runs] for rate in RATES},
            "peak_memory_bytes": min(run["peak_memory_bytes"][what] for run in runs),
        }
        for what in runs[0]["tokens_per_s"]
    }


def _equal(ours: list[list[int]], theirs: list[list[int]]) -> float:
    """The share of tokens that are the same up to the first that differs in their row."""
    n_equal = 0
    for row, other in zip(ours, theirs, strict=True):
        differ = [place for place, (one, two) in enumerate(zip(row, other, strict=True)) if one != two]
        n_equal += differ[0] if differ else len(row)
    return round(n_equal / sum(map(len, ours)), 3)
