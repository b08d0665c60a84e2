"""What text of the target domain without labels gives: sentiment, from labels of books to five other domains.

`python -m benchmarks.run domains [--device cuda] [--source books] [--targets electronics,MR] [--seeds 0,1,2]
[--variants "CORAL 1;DANN 0.1;head;head and plain"] [--max-steps N] [--max-length 256] [--limit N]`

A variant with a regulariser trains one adapter a target domain, on all labels of the source and the target's text
without labels; the plain task adapter is one for all targets, and so is the head alone, the last variant but one. The
last one is both of these together, by the mean of their probabilities. What a variant gains is over all test examples
of the targets together (`average`) and by target. `--limit` scores the first N examples of each.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import adaptkit
from adaptkit import Coral, Dann, Lora
from adaptkit.data.tasks import TaskData
from benchmarks.right_answers import Right, gain, right_answers
from benchmarks.sentiment import DOMAINS, reviews, unlabelled
from benchmarks.write_results import write_result

PLAIN = "plain"
VARIANTS: dict[str, tuple[type[Coral | Dann], float]] = {
    **{f"CORAL {weight:g}": (Coral, weight) for weight in (0.1, 0.3, 1.0, 3.0)},
    **{f"DANN {weight:g}": (Dann, weight) for weight in (0.01, 0.03, 0.1, 0.3)},
}
"""A regulariser and its weight, by what they are called in a row."""
HEADS = ("head", "head and plain")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", default="books", choices=DOMAINS)
    parser.add_argument("--targets", help="with commas between (default: all others)")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--variants", default="CORAL 1;DANN 0.1", help="with semicolons between, or all")
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--max-length", type=int, default=256, help="tokens of a text that train")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    others = [domain for domain in DOMAINS if domain != options.source]
    targets = options.targets.split(",") if options.targets else others
    case = Case(options, adaptkit.load_model(device=options.device), reviews(options.source, "train"), seeds)
    tests = {target: case.test_of(target) for target in targets}
    plain = [case.trained(seed) for seed in seeds]
    at_source = case.runs(plain, case.test_of(options.source))
    without = {target: case.runs(plain, test) for target, test in tests.items()}
    measured: dict[str, Any] = {PLAIN: {options.source: gain(at_source, at_source), **_rows(without, without)}}
    print(PLAIN, measured[PLAIN], flush=True)
    for name in (*VARIANTS, *HEADS) if options.variants == "all" else options.variants.split(";"):
        if name in HEADS:
            stacks = [(case.head(seed), *([plain[n]] if "plain" in name else [])) for n, seed in enumerate(seeds)]
            runs = {
                target: [right_answers(case.model, test, *each) for each in stacks] for target, test in tests.items()
            }
        else:
            runs = {target: case.runs(case.adapted(name, target), test) for target, test in tests.items()}
        measured[name] = _rows(runs, without)
        print(name, measured[name], flush=True)
    config = {**vars(options), "targets": targets, "device": str(case.model.backbone.device)}
    print(write_result("domains", seeds=seeds, config=config, measured=measured))


class Case:
    """Trainings on the labels of one domain, and their scores."""

    def __init__(
        self, options: argparse.Namespace, model: adaptkit.AdaptedModel, source: TaskData, seeds: Sequence[int]
    ) -> None:
        self.model = model
        self._options = options
        self._source = source
        self._seeds = seeds

    def trained(self, seed: int, *regularisers: Coral | Dann) -> adaptkit.Adapter:
        return adaptkit.train_adapter(
            task="sentiment",
            data=self._source,
            backbone=self.model,
            method=Lora(),
            regularisers=regularisers,
            run=adaptkit.Run(
                seed=seed, max_steps=self._options.max_steps, max_length=self._options.max_length, progress=False
            ),
        )

    def adapted(self, name: str, target: str) -> list[adaptkit.Adapter]:
        """Adapters of a variant with a regulariser, one a seed."""
        made, weight = VARIANTS[name]
        text = unlabelled(target)
        return [self.trained(seed, made(weight=weight, unlabelled=text)) for seed in self._seeds]

    def head(self, seed: int) -> adaptkit.Adapter:
        """A head alone, for all targets."""
        run = adaptkit.Run(seed=seed, max_length=self._options.max_length, progress=False)
        return adaptkit.train_adapter(
            task="sentiment-head", data=self._source, backbone=self.model, method="head", run=run
        )

    def test_of(self, domain: str) -> TaskData:
        test = reviews(domain, "test")
        return replace(test, examples=test.examples[: self._options.limit])

    def runs(self, adapters: Sequence[adaptkit.Adapter], test: TaskData) -> list[Right]:
        return [right_answers(self.model, test, adapter) for adapter in adapters]


def _rows(runs: dict[str, list[Right]], plain: dict[str, list[Right]]) -> dict[str, Any]:
    """By target, and of all test examples together. Each target has as many, so that theirs is the targets' average."""
    return {"average": gain(_together(runs), _together(plain)), **{t: gain(runs[t], plain[t]) for t in runs}}


def _together(runs: dict[str, list[Right]]) -> list[Right]:
    return [np.concatenate(parts) for parts in zip(*runs.values(), strict=True)]
