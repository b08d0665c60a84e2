"""Zero-shot transfer of a task from English, with no, the source's and the target's language adapter.

`python -m benchmarks.run transfer --task sib200 --zoo FOLDER [--languages sw,ha] [--seeds 0,1,2] [--limit N]`; FOLDER
holds language adapters, such as `benchmarks.run distill_sib200 --keep` writes. `--report FOLDER` keeps the report,
`--examples N` trains the task on the first N examples of a shuffled training set, `--method head` its head alone.
"""

import argparse
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import adaptkit
from adaptkit.data.tasks import TaskData, read_labelled, read_task
from adaptkit.storage.records import encode
from benchmarks.record import data_folder, write_result


def _topics() -> TaskData:
    return read_task("sib200", data=data_folder(), language="en", split="train")


def _inference() -> TaskData:
    """About 28,000 English pairs: TaxiNLI, SICK, and SNLI with its counterfactual edits."""
    folder = data_folder() / "nli-en"
    files = ["taxinli/taxinli10k.tsv.gz", "sick/SICK.txt.gz", "cad-snli/revised_combined/train.tsv"]
    parts = [read_labelled(folder / name, task_type="classification", nli=True, language="en") for name in files]
    examples = [example for part in parts for example in part.examples]
    return replace(parts[0], examples=examples, description="TaxiNLI, SICK, CAD-SNLI")


def _entities() -> TaskData:
    return read_task("wikiann", data=data_folder(), language="en", split="train")


def _questions() -> TaskData:
    return read_task("tydiqa", data=data_folder(), language="en", split="train")


TRAINING: dict[str, Callable[[], TaskData]] = {
    "sib200": _topics,
    "xnli": _inference,
    "masakhaner": _entities,
    "mlqa": _questions,
    "xquad": _questions,
}
SPLITS = {"mlqa": "dev"}
"""The answers of MLQA's test set are not at hand."""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", choices=sorted(TRAINING), required=True)
    parser.add_argument("--zoo", type=Path, required=True)
    parser.add_argument("--languages", required=True)
    parser.add_argument("--compare", default="none,source,target")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--examples", type=int)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--method", choices=["lora", "bottleneck", "head"], default="lora")
    parser.add_argument("--on-source", action="store_true", help="train the task on the English adapter of the zoo")
    parser.add_argument("--report", type=Path)
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    model = adaptkit.load_model()
    data = _chosen(TRAINING[options.task](), options.examples)
    on = [options.zoo / "en"] if options.on_source else []
    tasks = [
        adaptkit.train_adapter(
            task=options.task,
            method=options.method,
            data=data,
            on=on,
            backbone=model,
            seed=seed,
            max_steps=options.max_steps,
        )
        for seed in seeds
    ]
    report = adaptkit.evaluate(
        model,
        task=options.task,
        adapter=tasks,
        languages=options.languages.split(","),
        compare=options.compare.split(","),
        data=data_folder(),
        zoo=options.zoo,
        split=SPLITS.get(options.task, "test"),
        limit=options.limit,
    )
    if options.report is not None:
        report.save(options.report, overwrite=True)
    facts = [task.card.training for task in tasks]
    measured: dict[str, Any] = {
        "training": [encode(fact) for fact in facts],
        "training_data": {"description": data.description, "examples": len(data.examples)},
        "transfer": encode(report.results),
    }
    config = {name: str(value) for name, value in vars(options).items() if name not in ("zoo", "report")}
    print(write_result(f"transfer_{options.task}", seeds=seeds, config=config, measured=measured))


def _chosen(data: TaskData, n_examples: int | None) -> TaskData:
    examples = list(data.examples)
    random.Random(0).shuffle(examples)
    return replace(data, examples=examples[:n_examples])
