"""What n-grams of letters know of a translation's vector that the backbone, or a language adapter, does not.

`python -m benchmarks.run ngram_residual [--languages bm,quy] [--pairs 7000] [--penalty 1] [--rows 16384] [--width 192]
[--adapters FOLDER] [--device cuda]`. An adapter of the method `ngrams`, found in closed form from parallel text, on the
bare backbone and on top of a language adapter. `--adapters` is a folder of language adapters by their tags; a language
without one is measured on the bare backbone. Topics are of SIB-200 by a head trained in English, retrieval is
FLORES's, both directions, against English without an adapter.
"""

import argparse
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

import adaptkit
from adaptkit import AdaptedModel, Adapter
from adaptkit.evaluation.attached import attached
from benchmarks.sib200 import ZeroShot
from benchmarks.trials.scores import compared
from benchmarks.trials.texts import Pairs, mix
from benchmarks.vector_test import VectorTest
from benchmarks.write_results import write_result

Vectors: TypeAlias = NDArray[np.float32]
SOURCES = ("news", "ntrex", "seed", "tico", "web")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--languages", default="bm,gn,am,quy,ha,ig,rw,sw,yo")
    parser.add_argument("--pairs", type=int, default=7000)
    parser.add_argument("--penalty", type=float, default=1.0, help="of the ridge regression")
    parser.add_argument("--rows", type=int, default=16_384, help="of the table of n-grams")
    parser.add_argument("--width", type=int, default=192, help="of each of them")
    parser.add_argument("--adapters", type=Path, help="language adapters by their tags")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    model = adaptkit.load_model(device=options.device)
    topics = ZeroShot(model)
    measured: dict[str, Any] = {}
    for language in options.languages.split(","):
        measured[language] = _of_language(options, model, topics, language)
        print(language, measured[language], flush=True)
    config = {**vars(options), "adapters": options.adapters is not None}
    print(write_result("ngram_residual", seeds=[0], config=config, measured=measured))


def _of_language(options: argparse.Namespace, model: AdaptedModel, topics: ZeroShot, language: str) -> dict[str, Any]:
    pairs: Pairs = [pair for source in mix(SOURCES, language) for pair in cast("Pairs", source.text)]
    random.Random(0).shuffle(pairs)
    test = VectorTest(model, topics, language)
    bare = test.right(None)
    found: dict[str, Any] = {"pairs": len(pairs[: options.pairs])}
    for name, below in _adapters(options.adapters, language).items():
        ngrams = _ngrams(options, model, language, pairs[: options.pairs], below)
        with attached(model, *below, ngrams):
            if below:
                found[name] = _gains(test.right(below[0].id), bare)
            found[f"{name}, with n-grams"] = _gains(test.right(ngrams), bare)
        facts = ngrams.training
        assert facts is not None
        found[f"{name}, n-grams"] = {
            "distance_before": facts.heldout_loss_before,
            "distance_after": facts.heldout_loss_after,
            "elapsed_s": facts.elapsed_s,
            "file_mb": round(ngrams.size_bytes / 1e6, 1),
        }
    return found


def _gains(right: Mapping[str, NDArray[np.float64]], bare: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    return {score: compared(answers, bare[score]) for score, answers in right.items()}


def _ngrams(
    options: argparse.Namespace, model: AdaptedModel, language: str, pairs: Pairs, below: Sequence[Adapter]
) -> Adapter:
    return adaptkit.train_adapter(
        lang=language,
        parallel=pairs,
        method=adaptkit.Ngrams(ngram_rows=options.rows, ngram_width=options.width),
        objective=adaptkit.Ridge(penalty=options.penalty),
        on=below,
        backbone=model,
        run=adaptkit.Run(progress=False),
    )


def _adapters(folder: Path | None, language: str) -> Mapping[str, Sequence[Adapter]]:
    found: dict[str, Sequence[Adapter]] = {"bare": ()}
    if folder is not None and (folder / language).is_dir():
        found["adapter"] = (adaptkit.load_adapter(folder / language),)
    return found
