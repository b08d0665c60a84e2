"""What the others of a family give a language: one without text of its own, and one that starts from their adapter.

`python -m benchmarks.run families [--family sw,rw,xh,sn,ny,tn] [--tests sw,rw] [--sources ntrex] [--seeds 0] [--steps
450] [--pairs N] [--device cuda]`. For each language of `--tests`, one adapter is trained on all others of the family
(`others`), then its own adapter is started from that (`started`, a third of the steps), and one trained by itself
(`own`) in as many steps, and in all (`own, all steps`). Topics are of SIB-200 by a head trained in English, retrieval
is FLORES's, both directions; `--pairs` takes so many of the language's own; gains are over the backbone without an
adapter, and those of `started` over `own` too.
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import adaptkit
from adaptkit import AdaptedModel, Adapter
from adaptkit.evaluation.attached import attached
from benchmarks.sib200 import ZeroShot
from benchmarks.trials.scores import compared
from benchmarks.trials.texts import mix
from benchmarks.vector_test import VectorTest
from benchmarks.write_results import write_result

Right = Mapping[str, NDArray[np.float64]]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--family", default="sw,rw,xh,sn,ny,tn")
    parser.add_argument("--tests", default="sw,rw")
    parser.add_argument("--sources", default="ntrex")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--steps", type=int, default=450)
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    trial = Trial(adaptkit.load_model(device=options.device), options.sources.split(","), options.steps, options.pairs)
    measured: dict[str, Any] = {}
    for language in options.tests.split(","):
        others = [each for each in options.family.split(",") if each != language]
        measured[language] = trial.of_language(language, others, seeds)
        print(language, measured[language], flush=True)
    print(write_result("families", seeds=seeds, config=vars(options), measured=measured))


class Trial:
    """Trainings on a family and on a language, and their scores."""

    def __init__(self, model: AdaptedModel, sources: Sequence[str], steps: int, n_own: int | None) -> None:
        self._model, self._sources, self._steps, self._n_own = model, sources, steps, n_own
        self._topics = ZeroShot(model)

    def of_language(self, language: str, others: Sequence[str], seeds: Sequence[int]) -> dict[str, Any]:
        """Gains by way and score, a list with one of each seed."""
        test = VectorTest(self._model, self._topics, language)
        bare = test.right(None)
        found: dict[str, Any] = {}
        for seed in seeds:
            rights = {name: self._right(test, each) for name, each in self._trained(language, others, seed).items()}
            for name, right in rights.items():
                found.setdefault(name, []).append(_gains(right, bare))
            found.setdefault("started, over own", []).append(_gains(rights["started"], rights["own"]))
        return found

    def _trained(self, language: str, others: Sequence[str], seed: int) -> dict[str, Adapter]:
        third = self._steps // 3
        own = {"lang": language, "parallel": mix(self._sources, language, self._n_own)}
        family = self._adapter(
            seed,
            self._steps,
            lang=list(others),
            parallel={each: mix(self._sources, each) for each in others},
            name="others",
        )
        return {
            "others": family,
            "started": self._adapter(seed, third, start=family, **own),
            "own": self._adapter(seed, third, **own),
            "own, all steps": self._adapter(seed, self._steps, **own),
        }

    def _adapter(self, seed: int, steps: int, **asked: Any) -> Adapter:  # noqa: ANN401 - of train_adapter
        run = adaptkit.Run(seed=seed, max_steps=steps, progress=False)
        return adaptkit.train_adapter(backbone=self._model, run=run, **asked)

    def _right(self, test: VectorTest, adapter: Adapter) -> Right:
        with attached(self._model, adapter):
            return test.right(adapter)


def _gains(right: Right, before: Right) -> dict[str, Any]:
    return {score: compared(answers, before[score]) for score, answers in right.items()}
