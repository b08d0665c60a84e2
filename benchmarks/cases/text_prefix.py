"""A task trained in English with another text prefix than the backbone's own: what that gives other languages.

`python -m benchmarks.run text_prefix --task sib200 --languages ha,yo [--prefixes ",topic: "] [--seeds 0,1,2]
[--splits test] [--max-steps 150] [--zoo FOLDER] [--tasks FOLDER] [--limit N] [--english FILE]`.

The task is trained once for each seed and prefix, and once with the backbone's own, over which the gains are; the empty
prefix is none at all. With `--zoo`, a folder of language adapters by their tags, the language's adapter lies below
besides. Several `--splits` are one test. English labels are those at hand for the task, or a file. `--tasks` is a
folder that keeps the task adapters. Each language is a result file of its own, written as it is done.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import adaptkit
from adaptkit import Run
from adaptkit.data.tasks import Example, TaskData
from adaptkit.labelled import read_labelled, read_task, task_spec
from benchmarks.cases.transfer import TRAINING
from benchmarks.task_gains import kept_or_trained, scores_of_language
from benchmarks.write_results import data_folder, write_result


def main(arguments: list[str]) -> None:
    options = _parser().parse_args(arguments)
    spec = task_spec(options.task)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    model = adaptkit.load_model(device=options.device, bits=options.bits)
    english = (
        TRAINING[options.task]("en")
        if options.english is None
        else read_labelled(options.english, language="en", task_type=spec.task_type)
    )
    prefixes = {"english": None} | {f"english behind {prefix!r}": prefix for prefix in options.prefixes.split(",")}
    runs = [
        Run(seed=seed, max_steps=options.max_steps, batch_size=options.batch_size, progress=False) for seed in seeds
    ]
    tasks = {
        name: [
            kept_or_trained(
                None if options.tasks is None else options.tasks / f"{number}-{run.seed}",
                model,
                options.task,
                run,
                lambda: {"en": english},
                prefix=prefix,
            )
            for run in runs
        ]
        for number, (name, prefix) in enumerate(prefixes.items())
    }
    config = {name: str(value) for name, value in vars(options).items() if name not in ("english", "tasks", "zoo")}
    config["zoo"] = str(options.zoo is not None)
    for language in options.languages.split(","):
        test = _test(options.task, language, options.splits.split(","), options.limit)
        scores = scores_of_language(model, tasks, options.zoo, language, test, spec.metrics[0])
        measured = {"english": english.description, language: {"n": len(test.examples), **scores}}
        print(measured, flush=True)
        print(write_result("text_prefix", seeds=seeds, config=config, measured=measured), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", required=True)
    parser.add_argument("--languages", required=True)
    parser.add_argument("--prefixes", default="")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--splits", default="test")
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--bits", type=int, default=32)
    parser.add_argument("--zoo", type=Path)
    parser.add_argument("--tasks", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--english", type=Path)
    parser.add_argument("--device", default="auto")
    return parser


def _test(task: str, language: str, splits: Sequence[str], limit: int | None) -> TaskData:
    parts = [read_task(task, data=data_folder(), language=language, split=split, limit=limit) for split in splits]
    examples: list[Example] = [example for part in parts for example in part.examples]
    return replace(parts[0], examples=examples)
