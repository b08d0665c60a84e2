"""Language adapters distilled from the sentences that SIB-200 has in every language, without their topics.

`python -m benchmarks.run distill_sentences --languages fr,ur --keep FOLDER [--splits train,dev] [--others 4000]` saves
them as FOLDER/LANGUAGE; `--others N` adds up to N pairs of those that `distill_sib200` trains on. Topics of the test
sentences are no test of an adapter that has read the split `test`, which is among the splits by default.
"""

import argparse
import random
from pathlib import Path
from typing import Any

import adaptkit
from adaptkit.format.typed_json import encode
from benchmarks.sib200 import parallel_pairs, topic_sentences
from benchmarks.write_results import write_result


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--languages", required=True)
    parser.add_argument("--splits", default="train,dev,test")
    parser.add_argument("--others", type=int, default=0)
    parser.add_argument("--keep", type=Path, required=True)
    options = parser.parse_args(arguments)
    splits = options.splits.split(",")
    measured: dict[str, Any] = {}
    for language in options.languages.split(","):
        source, others = parallel_pairs(language) if options.others else ("en", [])
        random.Random(0).shuffle(others)
        pairs = topic_sentences(source, language, splits) + others[: options.others]
        adapter = adaptkit.train_adapter(
            lang=language, parallel=pairs, source_lang=source, output=options.keep / language
        )
        measured[language] = {"source": source, "pairs": len(pairs), "training": encode(adapter.card.training)}
        print(language, measured[language], flush=True)
    config = {"splits": splits, "others": options.others}
    print(write_result("distill_sentences", seeds=[0], config=config, measured=measured))
