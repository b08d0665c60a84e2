"""A task trained in English, and in English and languages that its words are translated into, on tests of many.

`python -m benchmarks.run task_words --task xnli [--words sw,ur,hi] [--languages sw,ur,hi,en] [--seeds 0] [--steps 500]
[--limit 1000] [--zoo FOLDER] [--tasks FOLDER] [--device cuda] [--bits 16]`. Words are learned from the text at hand but
dictionaries. `--zoo` is a folder of language adapters by their tags: each test that has one is also read with it below,
under the very task adapters that were trained without, and answered by both together (`ensemble`). `--tasks` keeps the
task adapters, and takes from there what an earlier call saved. Without `--words`, or without `--languages`, that part
is left out.
"""

import argparse
from pathlib import Path
from typing import Any

import adaptkit
from adaptkit.labelled import read_task, task_spec
from benchmarks.cases.transfer import TRAINING
from benchmarks.task_gains import Words, scores_of_language, trained
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
    parser.add_argument("--zoo", type=Path)
    parser.add_argument("--tasks", type=Path)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--bits", type=int, default=32)
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    model = adaptkit.load_model(device=options.device, bits=options.bits)
    english = TRAINING[options.task]("en")
    words = Words(english, list(filter(None, options.words.split(","))), lambda language: mix(_SOURCES, language))
    runs = [adaptkit.Run(seed=seed, max_steps=options.steps, progress=False) for seed in seeds]
    tasks = trained(words, model, task=options.task, runs=runs, folder=options.tasks)
    metric = task_spec(options.task).metrics[0]
    measured: dict[str, Any] = {"words": words.told}
    for language in filter(None, options.languages.split(",")):
        test = read_task(options.task, data=data_folder(), language=language, split="test", limit=options.limit)
        measured[language] = scores_of_language(model, tasks, options.zoo, language, test, metric)
        print(language, measured[language], flush=True)
    config = {name: str(value) for name, value in vars(options).items() if name not in ("tasks", "zoo")}
    config["zoo"] = str(options.zoo is not None)
    print(write_result("task_words", seeds=seeds, config=config, measured=measured))
