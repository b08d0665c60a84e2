"""adaptkit on what its peers train on, in a process of its own; prints one JSON line."""

import json
import math
from dataclasses import replace
from typing import Any

import adaptkit
from adaptkit.backbones.precision import run_type
from adaptkit.model import AdaptedModel
from adaptkit.recipes.train import train
from adaptkit.requests import request_of
from adaptkit.task_types import LabelledText
from benchmarks.peers.training_options import training_parser


def main() -> None:
    parser = training_parser(__doc__)
    parser.add_argument("--embeddings", choices=["paged"])
    parser.add_argument("--options", type=json.loads, default={}, help="of adaptkit train")
    options = parser.parse_args()
    data = json.loads(options.data.read_text(encoding="utf-8"))
    model = adaptkit.load_model(options.backbone, embeddings=options.embeddings)
    shared = {
        "rank": options.rank,
        "batch_size": options.batch_size,
        "max_length": options.max_length,
        "max_steps": options.steps,
        "seed": options.seed,
        "progress": False,
        **options.options,
    }
    kinds = {"labels": _task, "parallel": _translated}
    measured = next((kinds[name] for name in kinds if name in data), _language)(model, data, shared)
    computed_in = run_type(options.options.get("precision", "auto"), model.network.device)
    print(json.dumps({**measured, "computed_in": str(computed_in).removeprefix("torch.")}))


def _language(model: AdaptedModel, data: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    asked = request_of({"lang": "sw", "text": data["text"], "head_warmup": 0, **shared})
    adapter = train(replace(asked, backbone=model))
    perplexity = _training(adapter).pseudo_perplexity_after
    return {**_facts(adapter), "heldout_loss": math.log(perplexity)}


def _translated(model: AdaptedModel, data: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    asked = request_of({"lang": data["language"], "parallel": [tuple(pair) for pair in data["parallel"]], **shared})
    adapter = train(replace(asked, backbone=model))
    return {**_facts(adapter), "heldout_loss": _training(adapter).heldout_loss_after}


def _task(model: AdaptedModel, data: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    examples = {
        part: [LabelledText(text=text, pair=pair, label=label, language="en") for text, pair, label in data[part]]
        for part in ("training", "heldout")
    }
    asked = request_of({"task": "nli", "data": examples["training"], **shared})
    adapter = train(replace(asked, backbone=model))
    model.attach(adapter)
    found = model.predict(examples["heldout"], stack=adapter)
    correct = [answer.label == example.label for answer, example in zip(found, examples["heldout"], strict=True)]
    return {
        **_facts(adapter),
        "pairs": shared["max_steps"] * shared["batch_size"],
        "heldout_accuracy": sum(correct) / len(correct),
    }


def _facts(adapter: adaptkit.Adapter) -> dict[str, Any]:
    facts = _training(adapter)
    return {
        "tokens": facts.tokens,
        "steps": facts.steps,
        "elapsed_s": facts.elapsed_s,
        "peak_memory_bytes": facts.peak_memory_bytes,
    }


def _training(adapter: adaptkit.Adapter) -> Any:  # noqa: ANN401
    assert adapter.card.training is not None
    return adapter.card.training


if __name__ == "__main__":
    main()
