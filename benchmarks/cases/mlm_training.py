"""MLM training on Swahili news: adaptkit against transformers + peft and AdapterHub, the same sentences, one run.

`python -m benchmarks.run mlm_training [--steps 40] [--repeats 1] [--full-length] [--only NAME;...]`. Each contestant
runs in a process of its own, AdapterHub's library in an environment of its own (`make bench-peers` builds it; without
it, it is left out). `--full-length` joins sentences to 128 tokens and more, where memory is asked for.
"""

import json
from typing import Any

from adaptkit.backbones import load_backbone
from adaptkit.data.batching import heldout_rows
from benchmarks import swahili_news
from benchmarks.process import Contestant, measured
from benchmarks.training import options_parser, run_contest

SETTINGS = {"batch-size": 16, "max-length": 128, "rank": 8, "seed": 0}
LAYER_FLOPS, PASSES = 2 * 12 * (4 * 384 * 384 + 2 * 384 * 1536), 2
"""Of a token in one pass through the frozen blocks; forward, and the gradients of what flows through them."""

_PEFT = ("--library=peft",)
_HUB = ("--library=adapters",)
_GROUPED = "--group-by-length"


def _ours(**options: Any) -> Contestant:  # noqa: ANN401
    return Contestant("adaptkit_training", (f"--options={json.dumps(options)}",))


CONTESTANTS = {
    "peft, fp32": Contestant("plain_mlm", _PEFT),
    "peft, fp32, grouped by length": Contestant("plain_mlm", (*_PEFT, _GROUPED)),
    "peft, bf16": Contestant("plain_mlm", (*_PEFT, "--bf16")),
    "peft, bf16, grouped by length": Contestant("plain_mlm", (*_PEFT, "--bf16", _GROUPED)),
    "AdapterHub seq_bn_inv, fp32": Contestant("plain_mlm", (*_HUB, "--method=seq_bn_inv"), "adapterhub"),
    "adaptkit": _ours(anchor=0),
    "adaptkit, anchored (default)": _ours(),
    "adaptkit, full vocabulary": _ours(anchor=0, full_vocabulary=True),
    "adaptkit, fp32": _ours(anchor=0, precision="fp32"),
}
FULL_LENGTH = {
    "peft, fp32": CONTESTANTS["peft, fp32"],
    "AdapterHub seq_bn_inv, fp32": CONTESTANTS["AdapterHub seq_bn_inv, fp32"],
    "adaptkit": CONTESTANTS["adaptkit"],
    "adaptkit, paged, checkpointing": Contestant(
        "adaptkit_training",
        ("--embeddings=paged", f"--options={json.dumps({'anchor': 0, 'gradient_checkpointing': True})}"),
    ),
}


def main(arguments: list[str]) -> None:
    parser = options_parser()
    parser.add_argument("--full-length", action="store_true")
    options = parser.parse_args(arguments)
    run_contest(
        "mlm_training",
        FULL_LENGTH if options.full_length else CONTESTANTS,
        _data(full_length=options.full_length),
        SETTINGS,
        options,
        rate="tokens_per_s",
        finish=lambda results: with_roofline(results, measured("roofline", [])),
        full_length=options.full_length,
    )


def with_roofline(results: dict[str, Any], roofline: dict[str, float]) -> dict[str, Any]:
    """Add to each result its share of what products of the type that it computed in reach here.

    A processor without bfloat16 units is slower at it than at float32: a float32 run may be above that roofline.
    """
    for result in results.values():
        flops = result["tokens_per_s"] * LAYER_FLOPS * PASSES
        result["share_of_roofline"] = round(flops / roofline[f"{result['computed_in']}_flops"], 3)
    return {**results, "roofline": roofline}


def _data(*, full_length: bool) -> dict[str, Any]:
    lines = swahili_news.lines()[:4000]
    if full_length:
        lines = [" ".join(lines[start : start + 5]) for start in range(0, len(lines), 5)]
    return split_of(lines)


def split_of(lines: list[str]) -> dict[str, Any]:
    """What all contestants are given of a text: what trains, what is held out, and the tokens of both."""
    heldout = heldout_rows(len(lines), seed=SETTINGS["seed"])
    chosen = set(heldout)
    backbone = load_backbone()
    ids = backbone.tokenize(lines, max_length=SETTINGS["max-length"])
    return {
        "text": lines,
        "training": [line for row, line in enumerate(lines) if row not in chosen],
        "heldout": [lines[row] for row in heldout],
        "vocabulary": sorted({token for row in ids for token in row}),
    }
