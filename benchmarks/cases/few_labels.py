"""What regularisers give where few labels train: sentiment and topics at 50, 100 and 200 labels, whole test sets.

`python -m benchmarks.run few_labels [--device cuda] [--tasks books,topics] [--labels 50,100,200] [--seeds 0,1,2]
[--variants "plain;R-Drop 1, dropout 0.1"] [--max-steps N] [--max-length 256] [--limit N]`

A task is a domain of fdu-mtl (`books`, `electronics`, `MR` ...), or `topics`: MasakhaNEWS in English, whose dev split
is trained on, as its training split is not at hand. Each seed draws other labels. `--limit` scores the first N test
examples. Every variant is set beside `plain`, which is always run.
"""

import argparse
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import adaptkit
from adaptkit import FeatureDistillation, Lora, RDrop
from adaptkit.data.tasks import TaskData
from benchmarks.right_answers import Right, gain, right_answers
from benchmarks.sentiment import reviews
from benchmarks.write_results import data_folder, write_result

PLAIN = "plain"
VARIANTS: dict[str, dict[str, Any]] = {
    PLAIN: {},
    "dropout 0.1": {"method": Lora(dropout=0.1)},
    "R-Drop 1": {"regularisers": RDrop(weight=1.0)},
    "R-Drop 1, dropout 0.1": {"regularisers": RDrop(weight=1.0), "method": Lora(dropout=0.1)},
    "R-Drop 4, dropout 0.1": {"regularisers": RDrop(weight=4.0), "method": Lora(dropout=0.1)},
    "feature distillation 0.03": {"regularisers": FeatureDistillation(weight=0.03)},
    "feature distillation 0.1": {"regularisers": FeatureDistillation(weight=0.1)},
    "feature distillation 0.3": {"regularisers": FeatureDistillation(weight=0.3)},
    "feature distillation 1": {"regularisers": FeatureDistillation(weight=1.0)},
    "both": {
        "regularisers": [RDrop(weight=1.0), FeatureDistillation(weight=0.1)],
        "method": Lora(dropout=0.1),
    },
    "head alone": {"method": "head"},
}
"""Options of `train_adapter` by what they are called in a row."""
USUAL = "R-Drop 1, dropout 0.1;feature distillation 0.1"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", default="books")
    parser.add_argument("--labels", default="50,100,200")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--variants", default=USUAL, help="with semicolons between, or all")
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--max-length", type=int, default=256, help="tokens of a text that train")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    chosen = list(VARIANTS) if options.variants == "all" else options.variants.split(";")
    variants = {PLAIN: VARIANTS[PLAIN], **{name: VARIANTS[name] for name in chosen}}
    model = adaptkit.load_model(device=options.device)
    measured: dict[str, Any] = {}
    for task in options.tasks.split(","):
        training, test = _data(task)
        test = replace(test, examples=test.examples[: options.limit])
        for n_labels in map(int, options.labels.split(",")):
            drawn = [_drawn(training, n_labels, seed) for seed in seeds]
            runs: dict[str, list[Right]] = {}
            for name, variant in variants.items():
                trained = [
                    _trained(model, data, seed, variant, options) for data, seed in zip(drawn, seeds, strict=True)
                ]
                runs[name] = [right_answers(model, test, adapter) for adapter in trained]
                row = gain(runs[name], runs[PLAIN])
                measured.setdefault(task, {}).setdefault(str(n_labels), {})[name] = row
                print(f"{task}, {n_labels} labels, {name}: {row}", flush=True)
    config = {**vars(options), "device": str(model.backbone.device)}
    print(write_result("few_labels", seeds=seeds, config=config, measured=measured))


def _data(task: str) -> tuple[TaskData, TaskData]:
    """What labels are drawn from, and the test set."""
    if task != "topics":
        return reviews(task, "train"), reviews(task, "test")
    dev, test = (
        adaptkit.read_task("masakhanews", language="en", data=data_folder(), split=split) for split in ("dev", "test")
    )
    return dev, test


def _drawn(data: TaskData, n_labels: int, seed: int) -> TaskData:
    examples = random.Random(seed).sample(list(data.examples), n_labels)
    return replace(data, examples=examples)


def _trained(
    model: adaptkit.AdaptedModel, data: TaskData, seed: int, variant: Mapping[str, Any], options: argparse.Namespace
) -> adaptkit.Adapter:
    return adaptkit.train_adapter(
        task="few",
        data=data,
        backbone=model,
        run=adaptkit.Run(seed=seed, max_steps=options.max_steps, max_length=options.max_length, progress=False),
        **variant,
    )
