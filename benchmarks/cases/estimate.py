"""What `estimate` predicts against what training then takes, each in a process of its own.

`python -m benchmarks.run estimate [--steps N] [--only "4 bits, lora, mlm"]`
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import swahili_news
from benchmarks.process import measured
from benchmarks.sib200 import lafand_pairs
from benchmarks.write_results import write_result

_LORA: dict[str, Any] = {"method": "lora"}
_BOTTLENECK: dict[str, Any] = {"method": "bottleneck"}
COMBINATIONS: dict[str, dict[str, Any]] = {
    "32 bits, lora, mlm": {**_LORA, "objective": "mlm"},
    "32 bits, lora, distill": {**_LORA, "objective": "distill"},
    "32 bits, lora, mlm, batch 8": {**_LORA, "objective": "mlm", "batch_size": 8},
    "32 bits, lora, mlm, checkpointing": {**_LORA, "objective": "mlm", "gradient_checkpointing": True},
    "32 bits, lora, mlm, fp32": {**_LORA, "objective": "mlm", "precision": "fp32", "batch_size": 16},
    "32 bits, bottleneck, distill": {**_BOTTLENECK, "objective": "distill"},
    "32 bits, bottleneck and invertible, mlm": {**_BOTTLENECK, "objective": "mlm", "invertible": True},
    "16 bits, lora, mlm": {**_LORA, "objective": "mlm", "bits": 16},
    "16 bits, paged, lora, distill": {**_LORA, "objective": "distill", "bits": 16, "embeddings": "paged"},
    "8 bits, lora, distill": {**_LORA, "objective": "distill", "bits": 8, "batch_size": 16},
    "4 bits, lora, mlm": {**_LORA, "objective": "mlm", "bits": 4},
    "4 bits, lora, distill": {**_LORA, "objective": "distill", "bits": 4},
    "4 bits, bottleneck, mlm": {**_BOTTLENECK, "objective": "mlm", "bits": 4},
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--only", default=";".join(COMBINATIONS))
    options = parser.parse_args(arguments)
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        texts = _texts(Path(folder), options.sentences)
        for name in options.only.split(";"):
            chosen = {"lang": "sw", "max_steps": options.steps, **texts[COMBINATIONS[name]["objective"]]}
            given = {**chosen, **COMBINATIONS[name]}
            given_as = f"--options={json.dumps(given)}"
            predicted, found = measured("adaptkit_run", [given_as, "--estimate"]), measured("adaptkit_run", [given_as])
            ratio = predicted["peak_memory_bytes"] / found["peak_memory_bytes"]
            results[name] = {"predicted": predicted, "measured": found, "peak_ratio": round(ratio, 3)}
            print(name, results[name], flush=True)
    print(write_result("estimate", seeds=[0], config=vars(options), measured=results))


def _texts(folder: Path, n_sentences: int) -> dict[str, dict[str, str]]:
    pairs = lafand_pairs("sw")[:n_sentences]
    (folder / "en-sw.tsv").write_text(
        "en\tsw\n" + "".join(f"{a}\t{b}\n".replace('"', "") for a, b in pairs), encoding="utf-8"
    )
    (folder / "voa.txt").write_text("\n".join(swahili_news.lines()[:n_sentences]), encoding="utf-8")
    return {"mlm": {"text": str(folder / "voa.txt")}, "distill": {"parallel": str(folder / "en-sw.tsv")}}
