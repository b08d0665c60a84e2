"""Training a task adapter on TaxiNLI pairs: adaptkit against peft and AdapterHub, the same pairs, one run.

`python -m benchmarks.run task_training [--steps 40] [--repeats 1] [--only NAME;...]`; processes and environments as in
`mlm_training`. 500 pairs are held out.
"""

import argparse
import json
import random
import tempfile
from pathlib import Path
from typing import Any

from adaptkit.backbones import embedded
from adaptkit.data.tasks import LabelledText, read_labelled
from benchmarks.process import Contestant, contest, over
from benchmarks.record import data_folder, write_result

SETTINGS = {"batch-size": 32, "max-length": 128, "rank": 8, "seed": 0}
N_HELDOUT = 500
_PEFT = ("--library=peft",)
CONTESTANTS = {
    "peft, fp32": Contestant("plain_nli", _PEFT),
    "peft, fp32, grouped by length": Contestant("plain_nli", (*_PEFT, "--group-by-length")),
    "peft, bf16": Contestant("plain_nli", (*_PEFT, "--bf16")),
    "peft, bf16, grouped by length": Contestant("plain_nli", (*_PEFT, "--bf16", "--group-by-length")),
    "AdapterHub lora, fp32": Contestant("plain_nli", ("--library=adapters",), "adapterhub"),
    "adaptkit": Contestant("adaptkit_training"),
    "adaptkit, fp32": Contestant("adaptkit_training", (f"--options={json.dumps({'precision': 'fp32'})}",)),
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--only", help="names of contestants, with semicolons between")
    options = parser.parse_args(arguments)
    chosen = {name: CONTESTANTS[name] for name in options.only.split(";")} if options.only else CONTESTANTS
    chosen = {name: contestant for name, contestant in chosen.items() if contestant.is_here}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.json"
        data.write_text(json.dumps(_data()), encoding="utf-8")
        shared = [f"--{name}={value}" for name, value in {**SETTINGS, "steps": options.steps}.items()]
        shared += [f"--backbone={embedded.materialise()}", f"--data={data}"]
        results = contest(chosen, shared, repeats=options.repeats, by="elapsed_s")
    for result in results.values():
        result["pairs_per_s"] = round(result["pairs"] / result["elapsed_s"], 2)
    if "peft, fp32" in results:
        over(results, "peft, fp32", rate="pairs_per_s")
    config = {**SETTINGS, "steps": options.steps, "repeats": options.repeats}
    path = write_result("task_training", seeds=[0], config=config, measured=results)
    for name, result in results.items():
        print(name, result)
    print(path)


def _data() -> dict[str, Any]:
    file = data_folder() / "nli-en/taxinli/taxinli10k.tsv.gz"
    read = read_labelled(file, task_type="classification", nli=True, language="en")
    pairs = [(it.text, it.pair, it.label) for it in read.examples if isinstance(it, LabelledText)]
    random.Random(0).shuffle(pairs)
    return {"labels": list(read.labels), "training": pairs[N_HELDOUT:], "heldout": pairs[:N_HELDOUT]}
