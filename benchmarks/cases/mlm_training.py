"""MLM training on Swahili news: adaptkit against transformers + peft and AdapterHub, the same sentences, one run.

`python -m benchmarks.run mlm_training [--steps 40] [--repeats 1] [--full-length] [--only NAME;...]`. Each contestant
runs in a process of its own, AdapterHub's library in an environment of its own (`make bench-peers` builds it; without
it, it is left out). `--full-length` joins sentences to 128 tokens and more, where memory is asked for.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from adaptkit.backbones import embedded, load_backbone
from adaptkit.data.batching import heldout_rows
from benchmarks import swahili_news
from benchmarks.process import Contestant, contest, measured, over
from benchmarks.record import write_result

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
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--full-length", action="store_true")
    parser.add_argument("--only", help="names of contestants, with semicolons between")
    options = parser.parse_args(arguments)
    chosen = FULL_LENGTH if options.full_length else CONTESTANTS
    if options.only:
        chosen = {name: chosen[name] for name in options.only.split(";")}
    chosen = {name: contestant for name, contestant in chosen.items() if contestant.is_here}
    results = run(chosen, options.steps, options.repeats, full_length=options.full_length)
    config = {**SETTINGS, "steps": options.steps, "repeats": options.repeats, "full_length": options.full_length}
    path = write_result("mlm_training", seeds=[0], config=config, measured=results)
    for name, result in results.items():
        print(name, {what: value for what, value in result.items() if what != "elapsed_s"})
    print(path)


def run(contestants: dict[str, Contestant], steps: int, repeats: int, *, full_length: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.json"
        data.write_text(json.dumps(_data(full_length=full_length)), encoding="utf-8")
        shared = [f"--{name}={value}" for name, value in {**SETTINGS, "steps": steps}.items()]
        shared += [f"--backbone={embedded.materialise()}", f"--data={data}"]
        results = contest(contestants, shared, repeats=repeats, by="elapsed_s")
    roofline = measured("roofline", [])
    for result in results.values():
        result["tokens_per_s"] = round(result["tokens"] / result["elapsed_s"], 1)
        flops = result["tokens_per_s"] * LAYER_FLOPS * PASSES
        result["share_of_bf16_roofline"] = round(flops / roofline["bfloat16_flops"], 3)
    if "peft, fp32" in results:
        over(results, "peft, fp32", rate="tokens_per_s")
    return {**results, "roofline": roofline}


def _data(*, full_length: bool) -> dict[str, Any]:
    lines = swahili_news.lines()[:4000]
    if full_length:
        lines = [" ".join(lines[start : start + 5]) for start in range(0, len(lines), 5)]
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
