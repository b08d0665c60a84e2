"""What fewer bits cost in accuracy: SIB-200 zero-shot at each precision, the head trained on English at 32 bits.

`python -m benchmarks.run precision_sib200 --zoo FOLDER [--seeds 0,1,2] [--languages sw,ha] [--only "32;4, paged"]`;
FOLDER/SEED/LANGUAGE are adapters as `benchmarks.run distill_sib200 --keep FOLDER` writes them. A language without an
adapter there is measured without one.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import adaptkit
from adaptkit.evaluation.attached import attached
from benchmarks.precisions import PRECISIONS
from benchmarks.sib200 import ZeroShot, read_topics
from benchmarks.write_results import write_result


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--zoo", type=Path, required=True)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--languages", default="en,sw,ha,yo,ig,bm,am,rw,gn,quy")
    parser.add_argument("--only", default=";".join(PRECISIONS), help="some of the precisions, with ; between")
    options = parser.parse_args(arguments)
    languages, seeds = options.languages.split(","), [int(seed) for seed in options.seeds.split(",")]
    head = ZeroShot(adaptkit.load_model()).head
    measured: dict[str, Any] = {}
    for name in options.only.split(";"):
        model = adaptkit.load_model(**PRECISIONS[name])
        accuracy = {}
        for language in languages:
            texts, topics = read_topics(language, "test")
            folders = [folder for seed in seeds if (folder := options.zoo / str(seed) / language).is_dir()]
            accuracy[f"{language}, bare"] = _percent(head.correct(model, texts, topics))
            runs = []
            for folder in folders:
                adapter = adaptkit.load_adapter(folder)
                with attached(model, adapter):
                    runs.append(_percent(head.correct(model, texts, topics, stack=adapter)))
            if runs:
                accuracy[f"{language}, adapter"] = round(float(np.mean(runs)), 2)
        best = [accuracy.get(f"{language}, adapter", accuracy[f"{language}, bare"]) for language in languages]
        measured[name] = {
            "accuracy": accuracy,
            "average": round(float(np.mean(best)), 2),
            "resident_bytes": model.memory().total,
        }
        print(name, measured[name], flush=True)
    print(write_result("precision_sib200", seeds=seeds, config={"languages": languages}, measured=measured))


def _percent(correct: "np.ndarray[Any, np.dtype[np.float64]]") -> float:
    return round(100 * float(correct.mean()), 2)
