"""What a glossary is worth for topics and retrieval: on the bare backbone, and below a language adapter.

`python -m benchmarks.run glossaries [--languages ha,sw] [--sources news,ntrex,seed,tico,web,lexicon]
[--cldr FOLDER] [--adapters adapters_zoo/multilingual-e5-small/language] [--device cuda]`. Glossaries are learned from
the text at hand of these sources, and of folders of CLDR's names, if any are given. `--adapters` is a folder of
language adapters by their tags; a language without one is measured on the bare backbone. Topics are of SIB-200 by a
head trained in English, retrieval is FLORES's, both directions, against English without an adapter.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import adaptkit
from adaptkit import AdaptedModel, Adapter
from adaptkit.data.cldr import described, kinds_in
from adaptkit.evaluation.attached import attached
from benchmarks.sib200 import ZeroShot
from benchmarks.trials.scores import compared
from benchmarks.trials.texts import mix, names_from
from benchmarks.vector_test import VectorTest
from benchmarks.write_results import write_result


def main(arguments: list[str]) -> None:
    options = options_of(arguments)
    model = adaptkit.load_model(device=options.device)
    topics = ZeroShot(model)
    measured: dict[str, Any] = {}
    for language in options.languages.split(","):
        measured[language] = _of_language(options, model, topics, language)
        print(language, measured[language], flush=True)
    average = averages(measured)
    print("average", average, flush=True)
    print(write_result("glossaries", seeds=[0], config=config_of(options), measured={**measured, "average": average}))


def _of_language(options: argparse.Namespace, model: AdaptedModel, topics: ZeroShot, language: str) -> dict[str, Any]:
    began = time.monotonic()
    glossary = learned(model, sources_of(options, language), language)
    found: dict[str, Any] = {"elapsed_s": round(time.monotonic() - began, 1), **_facts(glossary)}
    test = VectorTest(model, topics, language)
    bare = test.right(None)
    with stacks_with(model, glossary, next(iter(options.adapters), None)) as stacks:
        for name, stack in stacks.items():
            found[name] = {score: compared(answers, bare[score]) for score, answers in test.right(stack).items()}
    return found


def _facts(glossary: Adapter) -> dict[str, Any]:
    facts = glossary.training
    assert facts is not None
    return {
        "pairs": glossary.card.n_lines,
        "words": len(glossary.config.reading.glossary or ()),
        "distance_before": facts.heldout_loss_before,
        "distance_after": facts.heldout_loss_after,
    }


def options_of(arguments: list[str]) -> argparse.Namespace:
    """What is measured, and where."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--languages", default="sw,ha,yo,ig,bm,gn,quy,rw,am")
    parser.add_argument("--sources", default="news,ntrex,seed,tico,web,lexicon")
    parser.add_argument(
        "--adapters", type=Path, action="append", default=[], help="folder of language adapters by their tags"
    )
    parser.add_argument("--cldr", type=Path, action="append", default=[], help="folder of CLDR's names")
    parser.add_argument("--splits", default="development,test", help="of translated_words")
    parser.add_argument("--prefix", help="of translated_words: what stands before each text, in place of the usual")
    parser.add_argument("--device", default="auto")
    return parser.parse_args(arguments)


def config_of(options: argparse.Namespace) -> dict[str, Any]:
    """The options as a result keeps them, without folders of this machine."""
    cldr = [described(kinds_in(each)) for each in options.cldr]
    return {**vars(options), "adapters": len(options.adapters), "cldr": cldr}


def sources_of(options: argparse.Namespace, language: str) -> list[adaptkit.Source]:
    """All that words are learned from."""
    return [*mix(options.sources.split(","), language), *names_from(options.cldr, language)]


def learned(model: AdaptedModel, sources: list[adaptkit.Source], language: str) -> Adapter:
    """The glossary of a language."""
    run = adaptkit.Run(progress=False)
    return adaptkit.train_adapter(lang=language, parallel=sources, method="glossary", backbone=model, run=run)


@contextmanager
def stacks_with(model: AdaptedModel, glossary: Adapter, adapters: Path | None) -> Iterator[dict[str, str]]:
    """The stacks of a glossary and of the adapter of its language, if a folder has one, by what they are of."""
    folder = None if adapters is None else adapters / str(glossary.language)
    below = [adaptkit.load_adapter(folder)] if folder is not None and folder.is_dir() else []
    stacks = {"glossary": glossary.id}
    for adapter in below:
        stacks |= {"adapter": adapter.id, "glossary > adapter": f"{glossary.id} > {adapter.id}"}
    with attached(model, glossary, *below):
        yield stacks


def averages(measured: dict[str, Any]) -> dict[str, dict[str, float]]:
    """The mean gain over the languages that have a stack, by stack and score."""
    gains: dict[str, dict[str, list[float]]] = {}
    for found in measured.values():
        for stack, scores in found.items():
            for score, gain in scores.items() if isinstance(scores, dict) else ():
                gains.setdefault(stack, {}).setdefault(score, []).append(gain["gain"])
    return {
        stack: {score: round(float(np.mean(each)), 2) for score, each in scores.items()}
        for stack, scores in gains.items()
    }
