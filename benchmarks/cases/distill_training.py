"""What distillation on Hausa news costs, by options that let it compute less: the same pairs, one run, here alone.

`python -m benchmarks.run distill_training [--steps 40] [--repeats 1] [--pairs 600] [--only NAME;...]`; each row trains
in a process of its own. Held-out losses are of so many steps, measured with all anchors: rows with the same anchors on
all tokens can be compared by them.
"""

import json
import random
from collections.abc import Mapping

from benchmarks.process import Contestant
from benchmarks.sib200 import lafand_pairs
from benchmarks.training import options_parser, run_contest

SETTINGS = {"batch-size": 32, "max-length": 128, "rank": 16, "seed": 0}
UPPER_HALF = [6, 7, 8, 9, 10, 11]


def _ours(**options: object) -> Contestant:
    return Contestant("adaptkit_training", (f"--options={json.dumps(options)}",))


OPTIONS: Mapping[str, Mapping[str, object]] = {
    "default": {},
    "anchors on half of the rows": {"anchor_share": 0.5},
    "anchors on a quarter": {"anchor_share": 0.25},
    "anchors on an eighth": {"anchor_share": 0.125},
    "anchors on shared words": {"anchor_on": "shared"},
    "no anchors": {"token_anchor": 0.0},
    "upper half of the blocks": {"blocks": UPPER_HALF},
    "upper half, anchors on a quarter": {"blocks": UPPER_HALF, "anchor_share": 0.25},
}
CONTESTANTS = {
    f"{name}, {precision}": _ours(precision=precision, **options)
    for precision in ("fp32", "bf16")
    for name, options in OPTIONS.items()
}


def main(arguments: list[str]) -> None:
    parser = options_parser()
    parser.add_argument("--pairs", type=int, default=600)
    options = parser.parse_args(arguments)
    pairs = lafand_pairs("ha")
    random.Random(0).shuffle(pairs)
    data = {"language": "ha", "parallel": pairs[: options.pairs]}
    run_contest("distill_training", CONTESTANTS, data, SETTINGS, options, rate="tokens_per_s", pairs=options.pairs)
