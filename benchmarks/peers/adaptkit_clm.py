"""adaptkit on what its peer trains a decoder on, in a process of its own; prints one JSON line."""

import json
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

import adaptkit
from adaptkit.backbones.precision import run_type
from adaptkit.model import AdaptedModel
from adaptkit.recipes.train import train
from adaptkit.requests import request_of
from benchmarks.peers.bits_per_byte import bits_per_byte
from benchmarks.peers.training_options import training_parser


def main() -> None:
    parser = training_parser(__doc__)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--own-rate", action="store_true", help="train at the rate that adaptkit chooses")
    options = parser.parse_args()
    data = json.loads(Path(options.data).read_text(encoding="utf-8"))
    model = adaptkit.load_model(options.backbone, device=options.device)
    before = _bits(model, data["heldout"], None)
    asked = request_of(
        {
            "lang": data["language"],
            "text": data["text"],
            "rank": options.rank,
            "batch_size": options.batch_size,
            "max_length": options.max_length,
            "max_steps": options.steps,
            **({} if options.own_rate else {"learning_rate": options.learning_rate}),
            "seed": options.seed,
            "progress": False,
        }
    )
    adapter = train(replace(asked, backbone=model))
    facts = adapter.card.training
    assert facts is not None
    model.attach(adapter)
    measured = {
        "tokens": facts.tokens,
        "steps": facts.steps,
        "elapsed_s": facts.elapsed_s,
        "peak_memory_bytes": facts.peak_memory_bytes,
        "computed_in": str(run_type("auto", model.network.device)).removeprefix("torch."),
        "bits_per_byte": [before, _bits(model, data["heldout"], adapter.id)],
    }
    print(json.dumps(measured))


def _bits(model: AdaptedModel, lines: list[str], stack: str | None) -> float:
    rows = model.backbone.output_rows()

    def logits_of(ids: Tensor) -> Tensor:
        with model.active(stack):
            ids = ids.to(model.network.device)
            states: Tensor = model(ids, torch.ones_like(ids))
        return states @ rows.T

    return bits_per_byte(logits_of, model.backbone.tokenizer, lines)


if __name__ == "__main__":
    main()
