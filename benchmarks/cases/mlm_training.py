"""MLM training on Swahili news: adaptkit against transformers + peft, same sentences, own process each, one run."""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from adaptkit.backbones import embedded
from benchmarks.record import data_folder, write_result

SETTINGS = {"batch-size": 16, "max-length": 128, "rank": 8, "seed": 0}
CONTESTANTS: dict[str, tuple[str, list[str]]] = {
    "peft, fp32": ("peft_mlm", []),
    "peft, fp32, grouped by length": ("peft_mlm", ["--group-by-length"]),
    "adaptkit": ("adaptkit_mlm", ["--anchor", "0"]),
    "adaptkit, anchored (default)": ("adaptkit_mlm", ["--anchor", "20"]),
    "adaptkit, full vocabulary": ("adaptkit_mlm", ["--anchor", "0", "--full-vocabulary"]),
    "adaptkit, fp32": ("adaptkit_mlm", ["--anchor", "0", "--precision", "fp32"]),
}


def run(n_sentences: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "voa.sw.txt"
        with gzip.open(data_folder() / "text/voa/swahili/voa_clean_final.txt.gz", "rt", encoding="utf-8") as file:
            lines = [line.strip() for line in file if line.strip()]
        # Evenly from the whole file, so that a short run sees the file's lengths.
        text.write_text("\n".join(lines[:: len(lines) // n_sentences][:n_sentences]), encoding="utf-8")
        measured = {name: _measure(module, options, text) for name, (module, options) in CONTESTANTS.items()}
    base = measured["peft, fp32"]
    for result in measured.values():
        result["speed_over_peft"] = round(result["tokens_per_s"] / base["tokens_per_s"], 2)
        result["memory_over_peft"] = round(result["peak_memory_bytes"] / base["peak_memory_bytes"], 3)
    return measured


def _measure(module: str, options: list[str], text: Path) -> dict[str, Any]:
    arguments = [f"--{name}={value}" for name, value in SETTINGS.items()]
    command = [sys.executable, "-m", f"benchmarks.peers.{module}", f"--backbone={embedded.materialise()}"]
    done = subprocess.run(
        [*command, f"--text={text}", *arguments, *options], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    result["tokens_per_s"] = round(result["tokens"] / result["elapsed_s"], 1)
    return result


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sentences", type=int, default=640)
    n_sentences = parser.parse_args(arguments).sentences
    measured = run(n_sentences)
    path = write_result("mlm_training", seeds=[0], config={**SETTINGS, "sentences": n_sentences}, measured=measured)
    for name, result in measured.items():
        print(
            f"{name:32s} {result['tokens_per_s']:8,.0f} tokens/s ({result['speed_over_peft']:5.1f} x)  "
            f"{result['peak_memory_bytes'] / 2**30:5.2f} GiB ({result['memory_over_peft']:.2f} x)"
        )
    print(path)
