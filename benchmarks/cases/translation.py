"""English into Swahili or Hausa on SmolLM2-135M: nothing, a translation adapter, and one on top of a language adapter.

`python -m benchmarks.run translation [--to sw] [--steps 60] [--language-steps 60] [--sentences 60]
[--letters 200]`. The translation
adapters are trained on TICO-19 (health, CC0) with the same seed and steps, the language adapter by `clm` on news of the
Voice of America, and all are tested on the first sentences of NTREX (news). SmolLM2 is an English model of 135 M
parameters: what it gives in another language is poor.
"""

import argparse
import gzip
import time
from typing import Any

import adaptkit
from adaptkit.data.parallel import open_parallel
from adaptkit.scores import Bleu, ChrF, paired_metric_difference
from benchmarks.write_results import data_folder, write_result

BACKBONE = "embedded/smollm2-135m"
NTREX = {"sw": "swa", "ha": "hau"}
NEWS = {"sw": "swahili/voa_clean_final.txt.gz", "ha": "hausa/hausa.txt.gz"}
MAX_LENGTH = 192


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--to", default="sw", choices=sorted(NTREX))
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--language-steps", type=int, default=60)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--sentences", type=int, default=60)
    parser.add_argument("--max-new-tokens", type=int, default=96)
    parser.add_argument("--letters", type=int, default=200, help="of a training pair, at most")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    measured = _measured(options)
    print(write_result("translation", seeds=[0], config={"backbone": BACKBONE, **vars(options)}, measured=measured))


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    model = adaptkit.load_model(BACKBONE, device=options.device)
    started = time.perf_counter()
    language = adaptkit.train_adapter(
        lang=options.to,
        text=_news(options.to),
        backbone=model,
        run=adaptkit.Run(max_steps=options.language_steps, batch_size=options.batch_size, max_length=96),
    )
    print("language", time.perf_counter() - started, flush=True)
    alone, stacked = (_translation(model, options, on) for on in ([], [language]))
    print("trained", time.perf_counter() - started, flush=True)
    sources, references = _test(options.to, options.sentences)
    scores = {"chrF++": ChrF(), "BLEU": Bleu()}
    found: dict[str, Any] = {}
    counts: dict[str, Any] = {}
    for name, adapters in {"none": [], "task": [alone], "language > task": [language, stacked]}.items():
        model.attach(*adapters)
        started = time.perf_counter()
        written = model.translate(
            sources,
            to=options.to,
            source_lang="en",
            stack=adaptkit.Stack(*(adapter.id for adapter in adapters)),
            max_new_tokens=options.max_new_tokens,
            batch_size=32,
        )
        took = time.perf_counter() - started
        counts[name] = {metric: score.statistics(written, references) for metric, score in scores.items()}
        of_each = {metric: float(score.score(counts[name][metric].sum(axis=0))) for metric, score in scores.items()}
        model.detach(*(adapter.id for adapter in adapters))
        found[name] = {**of_each, "seconds": took, "heldout_loss": _losses(adapters)}
        print(name, found[name], flush=True)
    return {"conditions": found, "signatures": {n: s.signature for n, s in scores.items()}, **_differences(counts)}


def _differences(counts: dict[str, Any]) -> dict[str, Any]:
    """Of chrF++, with intervals of 95 %."""
    pairs = [("task", "none"), ("language > task", "task")]
    found = {
        f"{ours} against {theirs}": paired_metric_difference(
            ChrF(), counts[ours]["chrF++"][None], counts[theirs]["chrF++"][None]
        )
        for ours, theirs in pairs
    }
    return {"chrF++ differences": {name: vars(difference) for name, difference in found.items()}}


def _translation(
    model: adaptkit.AdaptedModel, options: argparse.Namespace, on: list[adaptkit.Adapter]
) -> adaptkit.Adapter:
    return adaptkit.train_adapter(
        task="translation",
        data=_pairs(options.to, options.letters),
        source_lang="en",
        lang=options.to,
        on=on,
        backbone=model,
        run=adaptkit.Run(max_steps=options.steps, batch_size=options.batch_size, max_length=MAX_LENGTH),
    )


def _pairs(to: str, letters: int) -> list[tuple[str, str]]:
    file = data_folder() / f"text/tico19/all.en-{to}.tmx.gz"
    pairs = open_parallel(file, target=to, source_language="en").pairs()
    return [pair for pair in pairs if sum(map(len, pair)) <= letters]


def _news(language: str) -> list[str]:
    return _lines(f"text/voa/{NEWS[language]}")[:4000]


def _test(to: str, count: int) -> tuple[list[str], list[str]]:
    sides = ("newstest2019-src.eng", f"newstest2019-ref.{NTREX[to]}")
    source, target = (_lines(f"text/ntrex/{side}.txt.gz")[:count] for side in sides)
    return source, target


def _lines(name: str) -> list[str]:
    with gzip.open(data_folder() / name, "rt", encoding="utf-8") as file:
        return [line.strip() for line in file]


def _losses(adapters: list[adaptkit.Adapter]) -> dict[str, list[float]]:
    trained = {adapter.id: adapter.card.training for adapter in adapters}
    return {
        name: [facts.heldout_loss_before, facts.heldout_loss_after]
        for name, facts in trained.items()
        if facts is not None
    }
