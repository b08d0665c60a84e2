"""A task trained in English, and in English and languages that its words are translated into, on tests of many.

`python -m benchmarks.run task_words --task xnli [--words sw,ur,hi] [--languages sw,ur,hi,en] [--seeds 0] [--steps 500]
[--limit 1000] [--tasks FOLDER] [--device cuda]`. Words are learned from the text at hand but dictionaries; no language
adapter is below. `--tasks` keeps the task adapters, and takes from there what an earlier call saved.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import adaptkit
from adaptkit import AdaptedModel, Adapter
from adaptkit.data.tasks import TaskData
from adaptkit.labelled import read_task, task_spec
from benchmarks.cases.transfer import TRAINING
from benchmarks.task_scores import difference, scored
from benchmarks.trials.texts import mix
from benchmarks.write_results import data_folder, write_result

_SOURCES = ("news", "ntrex", "seed", "tico")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", choices=sorted(TRAINING), default="xnli")
    parser.add_argument("--words", default="sw,ur,hi,tr,vi,el,bg,ar")
    parser.add_argument("--languages", default="sw,ur,hi,tr,vi,el,bg,ar,th,zh,fr,ru,en")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--tasks", type=Path)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    model = adaptkit.load_model(device=options.device)
    english = {"en": TRAINING[options.task]("en")}
    translated = {language: _translated(english["en"], language) for language in options.words.split(",")}
    data = {"english": english, "words": {**english, **{name: each.data for name, each in translated.items()}}}
    tasks = {name: [_trained(options, model, each, name, seed) for seed in seeds] for name, each in data.items()}
    metric = task_spec(options.task).metrics[0]
    measured: dict[str, Any] = {"words": {language: str(each) for language, each in translated.items()}}
    for language in options.languages.split(","):
        test = read_task(options.task, data=data_folder(), language=language, split="test", limit=options.limit)
        runs = {name: [scored(model, task, [], test, metric) for task in found] for name, found in tasks.items()}
        measured[language] = {
            **{name: [round(run.score, 2) for run in found] for name, found in runs.items()},
            "gain": difference(runs["words"], runs["english"]),
        }
        print(language, measured[language], flush=True)
    config = {name: str(value) for name, value in vars(options).items() if name != "tasks"}
    print(write_result("task_words", seeds=seeds, config=config, measured=measured))


def _translated(english: TaskData, language: str) -> adaptkit.WordTranslation:
    found = adaptkit.translate_words(english, parallel=mix(_SOURCES, language), lang=language)
    print(found, flush=True)
    return found


def _trained(
    options: argparse.Namespace, model: AdaptedModel, data: Mapping[str, TaskData], name: str, seed: int
) -> Adapter:
    kept = None if options.tasks is None else options.tasks / f"{name}-{seed}"
    if kept is not None and kept.is_dir():
        return adaptkit.load_adapter(kept)
    run = adaptkit.Run(seed=seed, max_steps=options.steps, progress=False)
    return adaptkit.train_adapter(task=options.task, data=data, backbone=model, run=run, output=kept)
