"""What masked language modelling gives on a sentence-embedding backbone: variants on Swahili and Hausa news.

`python -m benchmarks.run mlm_sib200 [--languages sw,ha] [--variants plain,anchor20] [--seeds 0] [--max-steps 400]`
"""

import argparse
from pathlib import Path
from typing import Any

import adaptkit
from adaptkit import Lora, Mlm, Run
from benchmarks.sib200 import ZeroShot
from benchmarks.write_results import data_folder, write_result

TEXT = {"sw": "swahili/voa_clean_final.txt.gz", "ha": "hausa/hausa.txt.gz"}
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {"objective": Mlm(anchor=0.0)},
    "anchor 5": {"objective": Mlm(anchor=5.0)},
    "anchor 20": {"objective": Mlm(anchor=20.0)},
    "anchor 100": {"objective": Mlm(anchor=100.0)},
    "anchor 20, whole words": {"objective": Mlm(anchor=20.0, whole_words=True)},
    "anchor 20, lower half": {"objective": Mlm(anchor=20.0), "method": Lora(blocks=(0, 1, 2, 3, 4, 5))},
    "anchor 20, bottleneck and invertible": {
        "objective": Mlm(anchor=20.0),
        "method": "bottleneck",
        "invertible": True,
    },
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--languages", default="sw,ha")
    parser.add_argument("--variants", default=";".join(VARIANTS))
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--max-steps", type=int, default=400)
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    measure = ZeroShot(adaptkit.load_model())
    measured: dict[str, Any] = {}
    for language in options.languages.split(","):
        text = data_folder() / "text/voa" / TEXT[language]
        for variant in options.variants.split(";"):
            name = f"{language}, {variant}"
            measured[name] = _measure(measure, language, text, seeds, options.max_steps, VARIANTS[variant])
            print(name, measured[name], flush=True)
    print(write_result("mlm_sib200", seeds=seeds, config={"max_steps": options.max_steps}, measured=measured))


def _measure(
    measure: ZeroShot, language: str, text: Path, seeds: list[int], max_steps: int, variant: dict[str, Any]
) -> dict[str, Any]:
    adapters = [
        adaptkit.train_adapter(lang=language, text=text, run=Run(seed=seed, max_steps=max_steps), **variant)
        for seed in seeds
    ]
    facts = adapters[0].card.training
    assert facts is not None
    return {
        **measure.report(language, [measure.adapted(language, adapter) for adapter in adapters]),
        "pseudo_perplexity": [facts.pseudo_perplexity_before, facts.pseudo_perplexity_after],
        "elapsed_s": facts.elapsed_s,
        "tokens_per_s": facts.tokens_per_s,
    }
