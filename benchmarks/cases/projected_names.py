"""Named entities in a language without labels: English labels alone, and beside labels that were brought over.

`python -m benchmarks.run projected_names [--languages bm,ha] [--seeds 0,1,2] [--steps 600] [--device cuda]`.
English labels are wikiann's, parallel text is that of lafand-mt and NTREX, the test is MasakhaNER 2's. `--ways` says
how labels are brought over: names `projected` over parallel text, English labels whose `words` are translated (also by
NLLB-Seed and TICO-19), or `both`. With `--zoo`, a
folder of language adapters by their tags, English is also scored with the language's adapter below, and the mix is
trained on top of it. `--limit` takes so many pairs, `--examples` so many English sentences, `--test-limit` so many of
the test; `--confidence` and `--small-letters` are the projection's. `--show N` prints N projected sentences of each
language, with the translations that they are from. A pair whose sentence shares eight words with a test sentence is
left out. `--tasks` is a folder that keeps the adapters of English labels alone for other runs. Each language is a
result file of its own, written as it is done.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import adaptkit
from adaptkit import AdaptedModel, Adapter, Projection
from adaptkit.data.tasks import Example, TaskData
from adaptkit.labelled import read_task
from benchmarks.task_scores import ENTITY_F1, difference, scored
from benchmarks.trials.texts import mix_without, pairs_from, without
from benchmarks.write_results import data_folder, write_result

_SOURCES = ("news", "ntrex", "seed", "tico")


def main(arguments: list[str]) -> None:
    options = _parser().parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    model = adaptkit.load_model(device=options.device)
    english = _first(read_task("wikiann", data=data_folder(), language="en", split="train"), options.examples)
    tasks = [_of_english(options, model, english, seed) for seed in seeds]
    config = {name: str(value) for name, value in vars(options).items() if name not in ("zoo", "show", "tasks")}
    config["zoo"] = str(options.zoo is not None)
    for language in filter(None, options.languages.split(",")):
        measured = {language: _of_language(options, model, language, english, tasks, seeds)}
        print(measured, flush=True)
        print(write_result("projected_names", seeds=seeds, config=config, measured=measured), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--languages", default="bm,ha,ig,rw,sw,yo")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--ways", default="projected", help="projected, words, both")
    parser.add_argument("--zoo", type=Path)
    parser.add_argument("--tasks", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--examples", type=int)
    parser.add_argument("--test-limit", type=int)
    parser.add_argument("--confidence", type=float, default=0.6)
    parser.add_argument("--small-letters", action="store_true")
    parser.add_argument("--show", type=int, default=0)
    return parser


def _of_language(
    options: argparse.Namespace,
    model: AdaptedModel,
    language: str,
    english: TaskData,
    tasks: Sequence[Adapter],
    seeds: Sequence[int],
) -> dict[str, Any]:
    test = _first(read_task("masakhaner", data=data_folder(), language=language, split="test"), options.test_limit)
    below = [] if options.zoo is None else [adaptkit.load_adapter(options.zoo / language)]
    facts: dict[str, Any] = {}
    brought: dict[str, list[TaskData]] = {}
    ways = options.ways.split(",")
    if {"projected", "both"} & set(ways):
        projected = _projected(options, model, language, tasks[0], test)
        facts["projected"] = {name: getattr(projected, name) for name in ("kinds", "found", "left_out")}
        brought["projected"] = [projected.data]
    if {"words", "both"} & set(ways):
        translated = adaptkit.translate_words(english, parallel=mix_without(_SOURCES, language, test), lang=language)
        facts["words"] = str(translated)
        brought["words"] = [translated.data]
    brought["both"] = [data for way in brought.values() for data in way]
    runs = {"english": [scored(model, task, [], test, ENTITY_F1) for task in tasks]}
    if below:
        runs["english, target below"] = [scored(model, task, below, test, ENTITY_F1) for task in tasks]
    for way in ways:
        mixed = [_trained(options, model, [english, *brought[way]], seed, on=below) for seed in seeds]
        runs[way] = [scored(model, task, below, test, ENTITY_F1) for task in mixed]
    return {
        "brought": facts,
        "f1": {name: [round(run.score, 2) for run in found] for name, found in runs.items()},
        "against": {
            way: {name: difference(runs[way], runs[name]) for name in runs if name not in ways} for way in ways
        },
    }


def _projected(
    options: argparse.Namespace, model: AdaptedModel, language: str, names: Adapter, test: TaskData
) -> Projection:
    parallel = [pair for source in ("news", "ntrex") for pair in pairs_from(source, language)]
    projected = adaptkit.project_entities(
        parallel=without(parallel[: options.limit], test),
        lang=language,
        names=names,
        backbone=model,
        least_confidence=options.confidence,
        small_letters=options.small_letters,
    )
    _show(projected, options.show)
    return projected


def _of_english(options: argparse.Namespace, model: AdaptedModel, english: TaskData, seed: int) -> Adapter:
    kept = None if options.tasks is None else options.tasks / f"{seed}"
    if kept is not None and kept.is_dir():
        return adaptkit.load_adapter(kept)
    trained = _trained(options, model, english, seed, on=[])
    if kept is not None:
        trained.save(kept)
    return trained


def _trained(
    options: argparse.Namespace,
    model: AdaptedModel,
    data: TaskData | list[TaskData],
    seed: int,
    *,
    on: Sequence[Adapter],
) -> Adapter:
    run = adaptkit.Run(seed=seed, max_steps=options.steps, progress=False)
    return adaptkit.train_adapter(task="names", data=data, on=on, backbone=model, run=run)


def _first(data: TaskData, count: int | None) -> TaskData:
    examples: Sequence[Example] = data.examples[:count]
    return replace(data, examples=examples)


def _show(projected: Projection, count: int) -> None:
    for sentence in projected.sentences[:count]:
        print(f"{sentence.confidence:.2f}", " ".join(sentence.source_words), "|", " ".join(sentence.words))
        print("    ", sentence.entities, ", ".join(sentence.how))
