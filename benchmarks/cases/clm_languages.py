"""Causal language modelling of SmolLM2-135M in Swahili, Hausa and Yoruba: adaptkit beside transformers + peft, one run.

`python -m benchmarks.run clm_languages [--languages sw,ha,yo] [--steps 40] [--device cuda]`. Each contestant trains a
LoRA at the same linear layers, of the same rank and scaling, at the same rate, on the same lines for the same number of
steps, in a process of its own; all are measured by the same function on the same lines that none of them saw: bits a
byte before and after, over the whole vocabulary. adaptkit trains once more at the rate that it chooses itself, whose
peak is higher because it rises and falls. Held-out lines are distinct, and none occurs in the training text.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from adaptkit.backbones import smollm2
from adaptkit.data.batching import heldout_rows
from benchmarks import decoder_text
from benchmarks.process import Contestant, contest, over
from benchmarks.write_results import write_result

SETTINGS = {"max-length": 96, "rank": 16, "seed": 0}
RATE = 5e-4
CONTESTANTS = {
    "peft, fp32": Contestant("plain_clm"),
    "adaptkit": Contestant("adaptkit_clm"),
    "adaptkit, own rate": Contestant("adaptkit_clm", ("--own-rate",)),
}
BASE = "peft, fp32"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--languages", default="sw,ha,yo")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--lines", type=int, default=2000, help="that are trained on")
    parser.add_argument("--heldout", type=int, default=60, help="lines that are measured on")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(arguments)
    measured = {language: _language(language, options) for language in options.languages.split(",")}
    config = {**SETTINGS, "learning_rate": RATE, **vars(options)}
    path = write_result("clm_languages", seeds=[SETTINGS["seed"]], config=config, measured=measured)
    for language, results in measured.items():
        for name, result in results.items():
            print(language, name, result)
    print(path)


def _language(language: str, options: argparse.Namespace) -> dict[str, Any]:
    training, heldout = decoder_text.parts(language, n_training=options.lines, n_heldout=options.heldout)
    # Of what it is given, adaptkit holds some lines out for itself; the peer trains on what is left.
    own = set(heldout_rows(len(training), seed=SETTINGS["seed"]))
    data = {
        "language": language,
        "text": training,
        "training": [line for row, line in enumerate(training) if row not in own],
        "heldout": heldout,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.json"
        path.write_text(json.dumps(data), encoding="utf-8")
        told = [f"--{name}={value}" for name, value in SETTINGS.items()]
        told += [f"--device={options.device}"]
        told += [f"--steps={options.steps}", f"--batch-size={options.batch_size}", f"--learning-rate={RATE}"]
        shared = [*told, f"--backbone={smollm2.materialise()}", f"--data={path}"]
        results = contest(CONTESTANTS, shared, repeats=1, by="elapsed_s")
    for result in results.values():
        result["tokens_per_s"] = round(result["tokens"] / result["elapsed_s"], 1)
    over(results, BASE, rate="tokens_per_s")
    return results
