"""Training a task adapter on TaxiNLI pairs: adaptkit against peft and AdapterHub, the same pairs, one run.

`python -m benchmarks.run task_training [--steps 40] [--repeats 1] [--only NAME;...]`; processes and environments as in
`mlm_training`. 500 pairs are held out.
"""

import json
import random
from typing import Any

from adaptkit.labelled import read_labelled
from adaptkit.task_types import LabelledText
from benchmarks.process import Contestant
from benchmarks.training import options_parser, run_contest
from benchmarks.write_results import data_folder

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
    options = options_parser().parse_args(arguments)
    run_contest("task_training", CONTESTANTS, _data(), SETTINGS, options, rate="pairs_per_s")


def _data() -> dict[str, Any]:
    file = data_folder() / "nli-en/taxinli/taxinli10k.tsv.gz"
    read = read_labelled(file, task_type="classification", nli=True, language="en")
    pairs = [(it.text, it.pair, it.label) for it in read.examples if isinstance(it, LabelledText)]
    random.Random(0).shuffle(pairs)
    return {"labels": list(read.labels), "training": pairs[N_HELDOUT:], "heldout": pairs[:N_HELDOUT]}
