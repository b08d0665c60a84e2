"""A script that the tokenizer does not know: topics in Dzongkha zero-shot, the text romanised or read by new pieces.

`python -m benchmarks.run new_script [--seeds 0,1,2] [--steps N] [--pieces 4000,8000] [--pairs N] [--lexicon]
[--split test|development] [--only romanised|pieces] [--device cuda]`. The head is trained on English without any
adapter; language adapters on the Dzongkha side of NLLB-Seed with its English, by the default recipe. `development` are
the sentences of the train and dev splits, by which choices are made. Romanising needs the package uroman.
"""

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

import adaptkit
from adaptkit.evaluation import TopicHead
from adaptkit.evaluation.attached import attached
from adaptkit.scores import paired_difference
from benchmarks.sib200 import read_topics
from benchmarks.trials.texts import lexicon_of, pairs_from
from benchmarks.write_results import write_result

LANGUAGE = "dz"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--pieces", default="4000")
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--lexicon", action="store_true", help="rows start from GATITOS too")
    parser.add_argument("--split", choices=["test", "development"], default="test")
    parser.add_argument("--only", choices=["romanised", "pieces"])
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    trial = Trial(options, seeds)
    measured: dict[str, Any] = {"none": trial.without()}
    if options.only != "pieces":
        romanise = romaniser()
        measured["none, romanised"] = trial.without(romanise)
        measured["romanised"] = trial.trained(romanise)
    if options.only != "romanised":
        for pieces in options.pieces.split(","):
            lexicon = lexicon_of(LANGUAGE) if options.lexicon else None
            measured[f"{int(pieces):,} new pieces"] = trial.trained(new_pieces=int(pieces), lexicon=lexicon)
    print(write_result("new_script", seeds=seeds, config=vars(options), measured=measured))


class Trial:
    """The head, the test and the text; each kind of reading is scored on the same sentences."""

    def __init__(self, options: argparse.Namespace, seeds: Sequence[int]) -> None:
        self._model = adaptkit.load_model(device=options.device)
        self._head = TopicHead.trained_on(self._model, *read_topics("en", "train"))
        self._texts, self._topics = read_topics(LANGUAGE, options.split)
        self._pairs = pairs_from("seed", LANGUAGE)[: options.pairs]
        self._seeds, self._steps = seeds, options.steps
        self._bare = self._correct(self._texts)

    def without(self, read: Callable[[str], str] = str) -> dict[str, Any]:
        found = self._correct([read(text) for text in self._texts])
        print("none", found.mean(), flush=True)
        return {"accuracy": round(100 * float(found.mean()), 2), "n": len(found)}

    def trained(
        self,
        read: Callable[[str], str] = str,
        **options: Any,  # noqa: ANN401 - of train_adapter
    ) -> dict[str, Any]:
        pairs, texts = [(english, read(text)) for english, text in self._pairs], [read(text) for text in self._texts]
        runs, facts = [], []
        for seed in self._seeds:
            run = adaptkit.Run(seed=seed, max_steps=self._steps)
            adapter = adaptkit.train_adapter(
                lang=LANGUAGE, parallel=pairs, backbone=self._model, run=run, force=True, **options
            )
            with attached(self._model, adapter):
                runs.append(self._correct(texts, adapter))
            facts.append(adapter)
            print(options.get("new_pieces", "romanised"), seed, runs[-1].mean(), adapter.training, flush=True)
        gain = paired_difference(np.stack(runs), self._bare)
        training = [adapter.training for adapter in facts if adapter.training is not None]
        return {
            "accuracy": [round(100 * float(run.mean()), 2) for run in runs],
            "gain": round(gain.mean, 2),
            "interval_95": [round(gain.low, 2), round(gain.high, 2)],
            "verdict": gain.verdict,
            "pairs": len(pairs),
            "pieces": [0 if adapter.config.pieces is None else len(adapter.config.pieces) for adapter in facts],
            "bytes": facts[0].size_bytes,
            "steps": [each.steps for each in training],
            "elapsed_s": [each.elapsed_s for each in training],
            "heldout": [[each.heldout_loss_before, each.heldout_loss_after] for each in training],
            "settings": dict(training[0].settings),
        }

    def _correct(self, texts: Sequence[str], stack: adaptkit.Adapter | None = None) -> NDArray[np.float64]:
        return self._head.correct(self._model, texts, self._topics, stack=stack)


def romaniser() -> Callable[[str], str]:
    """Any script in Latin letters, by uroman (Hermjakob et al. 2018)."""
    try:
        made = import_module("uroman").Uroman()
    except ImportError as error:
        raise SystemExit(
            f"romanising needs the package uroman ({error}): pip install uroman, or --only pieces"
        ) from error
    return lambda text: str(made.romanize_string(text))
