"""Language adapters distilled from parallel text, one default recipe, scored on SIB-200 zero-shot.

`python -m benchmarks.run distill_sib200 [--languages sw,ha] [--seeds 0,1,2] [--pairs 250,500] [--keep FOLDER]`; with
`--pairs` it is a learning curve; `--keep` saves the adapters as FOLDER/SEED/LANGUAGE.
"""

import argparse
import random
from pathlib import Path
from typing import Any

import adaptkit
from benchmarks.sib200 import ZeroShot, overlap, parallel_pairs, read_topics
from benchmarks.write_results import write_result


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--languages", default="sw,ha,yo,ig,bm")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--pairs", default="")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    sizes = [int(size) for size in options.pairs.split(",")] if options.pairs else [0]
    measure = ZeroShot(adaptkit.load_model())
    english = round(100 * float(measure.head.correct(measure.model, *read_topics("en", "test")).mean()), 2)
    measured: dict[str, Any] = {"en": {"without": english}}
    for language in options.languages.split(","):
        for size in sizes:
            name = f"{language} {size} pairs" if size else language
            measured[name] = _measure(measure, language, seeds, size, options.keep)
            print(name, measured[name], flush=True)
    config = {"source_language": {name: parallel_pairs(name)[0] for name in options.languages.split(",")}}
    case = "distill_curve" if options.pairs else "distill_sib200"
    print(write_result(case, seeds=seeds, config=config, measured=measured))


def _measure(measure: ZeroShot, language: str, seeds: list[int], size: int, keep: Path | None) -> dict[str, Any]:
    source, pairs = parallel_pairs(language)
    random.Random(0).shuffle(pairs)
    pairs = pairs[: size or None]
    runs, facts = [], []
    for seed in seeds:
        adapter = adaptkit.train_adapter(lang=language, parallel=pairs, source_lang=source, run=adaptkit.Run(seed=seed))
        if keep is not None:
            adapter.save(keep / str(seed) / language, overwrite=True)
        runs.append(measure.adapted(language, adapter))
        assert adapter.card.training is not None
        facts.append(adapter.card.training)
    shared = overlap([text for _, text in pairs], read_topics(language, "test")[0])
    return {
        **measure.report(language, runs),
        "pairs": len(pairs),
        "test_sentences_sharing_8_words_with_training": shared,
        "steps": [fact.steps for fact in facts],
        "elapsed_s": [fact.elapsed_s for fact in facts],
        "tokens_per_s": [fact.tokens_per_s for fact in facts],
        "settings": dict(facts[0].settings),
    }
