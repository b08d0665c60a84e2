"""What text of the target domain without labels gives: sentiment, from labels of books to five other domains.

`python -m benchmarks.run domains [--device cuda] [--source books] [--targets electronics,MR] [--seeds 0,1,2]
[--variants "CORAL 1;DANN 0.1;pseudo-labels 0.5"] [--max-steps N] [--max-length 256] [--limit N] [--bits 16]
[--one-for-all] [--unlabelled N]`

CORAL, DANN and pseudo-labels train one adapter a target domain, on all labels of the source and the target's text
without labels; the plain task adapter is one for all targets, and so are those of other regularisers, and a head alone.
Pseudo-labels are what the plain adapter answers for the surest share of the target's text, as many of each label.
With `--one-for-all` they read the text of all targets instead, and one adapter serves them all. Beside CORAL and DANN a
head starts new; in all others it begins as a regression, so that what they gain has that in it.
Behind ` and plain` an adapter answers together with the plain one, by the mean of their probabilities, and `plain and
plain` are two of different seeds. What a variant gains is over all test examples of the targets together (`average`)
and by target. `--limit` scores the first N examples of each.
"""

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

import adaptkit
from adaptkit import Coral, Dann, FeatureDistillation, Lora, RDrop
from adaptkit.data.tasks import TaskData
from adaptkit.evaluation.attached import attached
from adaptkit.labelled import read_labelled
from adaptkit.task_types import LabelledText
from adaptkit.task_types.classification import PredictedLabel
from benchmarks.right_answers import Right, gain, right_answers
from benchmarks.sentiment import DOMAINS, reviews, unlabelled
from benchmarks.write_results import write_result

PLAIN = "plain"
_BESIDE = f" and {PLAIN}"
_OF_DOMAIN: dict[str, type[Coral | Dann]] = {"CORAL": Coral, "DANN": Dann}
"""Regularisers that read the target's text."""
_ANYWHERE: dict[str, type[FeatureDistillation | RDrop]] = {"feature distillation": FeatureDistillation, "R-Drop": RDrop}
_OTHER_SEED = 100


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", default="books", choices=DOMAINS)
    parser.add_argument("--targets", help="with commas between (default: all others)")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--variants", default="CORAL 1;DANN 0.1", help="with semicolons between")
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--max-length", type=int, default=256, help="tokens of a text that train")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--unlabelled", type=int, help="texts of each target without labels")
    parser.add_argument("--one-for-all", action="store_true")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--bits", type=int, default=32)
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    others = [domain for domain in DOMAINS if domain != options.source]
    targets = options.targets.split(",") if options.targets else others
    case = Case(options, adaptkit.load_model(device=options.device, bits=options.bits), targets)
    tests = {target: case.test_of(target) for target in targets}
    at_source = [case.right(PLAIN, options.source, case.test_of(options.source), seed) for seed in seeds]
    without = {target: [case.right(PLAIN, target, test, seed) for seed in seeds] for target, test in tests.items()}
    measured: dict[str, Any] = {PLAIN: {options.source: gain(at_source, at_source), **_rows(without, without)}}
    print(PLAIN, measured[PLAIN], flush=True)
    for name in filter(None, options.variants.split(";")):
        runs = {target: [case.right(name, target, test, seed) for seed in seeds] for target, test in tests.items()}
        measured[name] = _rows(runs, without)
        print(name, measured[name], flush=True)
    config = {**vars(options), "targets": targets, "device": str(case.model.backbone.device)}
    print(write_result("domains", seeds=seeds, config=config, measured=measured))


class Case:
    """Trainings on the labels of one domain, and their scores."""

    def __init__(self, options: argparse.Namespace, model: adaptkit.AdaptedModel, targets: Sequence[str]) -> None:
        self.model = model
        self._targets = targets
        self._options = options
        self._source = reviews(options.source, "train")
        self._adapters: dict[tuple[str, int], adaptkit.Adapter] = {}

    def right(self, name: str, target: str, test: TaskData, seed: int) -> Right:
        """What a variant answers right."""
        alone = name.removesuffix(_BESIDE)
        adapters = [self._adapter(alone, target, seed)]
        if name != alone:
            adapters.append(self._adapter(PLAIN, target, seed if alone != PLAIN else seed + _OTHER_SEED))
        return right_answers(self.model, test, *adapters)

    def test_of(self, domain: str) -> TaskData:
        test = reviews(domain, "test")
        return replace(test, examples=test.examples[: self._options.limit])

    def _adapter(self, name: str, target: str, seed: int) -> adaptkit.Adapter:
        """That of a variant, trained where it is asked for first. Raises KeyError for a variant that there is not."""
        kind = name.rpartition(" ")[0]
        reads_targets = not (name in (PLAIN, "head") or kind in _ANYWHERE)
        for_all = self._options.one_for_all
        targets = [*self._targets] if for_all else [target]
        place = " ".join([name, *(["all" if for_all else target] if reads_targets else [])])
        if (place, seed) not in self._adapters:
            own_name = re.sub(r"[^a-z0-9]+", "-", place.lower())
            self._adapters[place, seed] = self._trained(name, targets, seed).renamed(f"task/{own_name}-{seed}")
        return self._adapters[place, seed]

    def _trained(self, name: str, targets: Sequence[str], seed: int) -> adaptkit.Adapter:
        kind, _, weight = name.rpartition(" ")
        texts = [text for target in targets for text in unlabelled(target)[: self._options.unlabelled]]
        asked: dict[str, Any] = {"method": "head" if name == "head" else Lora(), "data": self._source}
        if kind in _ANYWHERE:
            asked["regularisers"] = _ANYWHERE[kind](weight=float(weight))
        elif kind == "pseudo-labels":
            asked["data"] = self._with_answers(texts, seed, float(weight))
        elif name not in (PLAIN, "head"):
            asked["regularisers"] = _OF_DOMAIN[kind](weight=float(weight), unlabelled=texts)
        run = adaptkit.Run(
            seed=seed,
            max_steps=None if name == "head" else self._options.max_steps,
            max_length=self._options.max_length,
            progress=False,
        )
        return adaptkit.train_adapter(task="sentiment", backbone=self.model, run=run, **asked)

    def _with_answers(self, texts: Sequence[str], seed: int, share: float) -> TaskData:
        """The source's examples, and of each label as many of the texts: those that plain is surest of."""
        adapter = self._adapter(PLAIN, self._options.source, seed)
        with attached(self.model, adapter):
            answers = cast("list[PredictedLabel]", self.model.predict(texts, stack=adapter.id, batch_size=64))
        sure = sorted(zip(texts, answers, strict=True), key=lambda each: -max(each[1].probabilities.values()))
        n_each = int(share * len(texts)) // len(self._source.labels)
        chosen = []
        for label in self._source.labels:
            surest = [text for text, answer in sure if answer.label == label][:n_each]
            chosen += [LabelledText(text=text, label=label, language="en") for text in surest]
        return read_labelled([*self._source.examples, *chosen])


def _rows(runs: dict[str, list[Right]], plain: dict[str, list[Right]]) -> dict[str, Any]:
    """By target, and of all test examples together. Each target has as many, so that theirs is the targets' average."""
    return {"average": gain(_together(runs), _together(plain)), **{t: gain(runs[t], plain[t]) for t in runs}}


def _together(runs: dict[str, list[Right]]) -> list[Right]:
    return [np.concatenate(parts) for parts in zip(*runs.values(), strict=True)]
