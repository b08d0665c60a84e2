"""Zero-shot transfer of a task from English, with no, the source's and the target's language adapter.

`python -m benchmarks.run transfer --task sib200 --zoo FOLDER [--languages sw,ha] [--seeds 0,1,2] [--limit N]`; FOLDER
holds language adapters, such as `benchmarks.run distill_sib200 --keep` writes. `--report FOLDER` keeps the report,
`--examples N` trains the task on the first N examples of a shuffled training set, `--method head` its head alone.
`--keep FOLDER` saves the task adapters as FOLDER/SEED, and takes from there what an earlier call saved.

`--sources sw,ha,yo` trains on several languages, with `--on-source` each on its own adapter of the zoo. `--domain
FOLDER` puts a domain adapter between language and task, `--groups fiction,travel` scores each genre by itself.
`--precisions "32;4, paged"` scores at each of these what was trained at 32 bits.
"""

import argparse
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import adaptkit
from adaptkit.data.tasks import TaskData
from adaptkit.format.typed_json import encode
from adaptkit.labelled import read_labelled, read_task
from benchmarks.precisions import PRECISIONS
from benchmarks.write_results import data_folder, write_result


def _training_set(benchmark: str) -> Callable[[str], TaskData]:
    return lambda language: read_task(benchmark, data=data_folder(), language=language, split="train")


def _inference(language: str) -> TaskData:
    """About 28,000 English pairs: TaxiNLI, SICK, and SNLI with its counterfactual edits."""
    folder = data_folder() / "nli-en"
    if language != "en":
        raise SystemExit("the inference pairs at hand are English")
    files = ["taxinli/taxinli10k.tsv.gz", "sick/SICK.txt.gz", "cad-snli/revised_combined/train.tsv"]
    parts = [read_labelled(folder / name, task_type="classification", nli=True, language="en") for name in files]
    examples = [example for part in parts for example in part.examples]
    return replace(parts[0], examples=examples, description="TaxiNLI, SICK, CAD-SNLI")


def _entities(language: str) -> TaskData:
    return _training_set("wikiann" if language == "en" else "masakhaner")(language)


TRAINING: dict[str, Callable[[str], TaskData]] = {
    "sib200": _training_set("sib200"),
    "xnli": _inference,
    "americasnli": _inference,
    "masakhaner": _entities,
    "mlqa": _training_set("tydiqa"),
    "xquad": _training_set("tydiqa"),
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
    parser.add_argument("--sources", default="en")
    parser.add_argument("--on-source", action="store_true", help="train the task on the zoo's adapters of its sources")
    parser.add_argument("--domain", type=Path)
    parser.add_argument("--groups")
    parser.add_argument("--precisions", default="32", help=f"some of {';'.join(PRECISIONS)}")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--report", type=Path)
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    sources = options.sources.split(",")
    model = adaptkit.load_model()
    data = {source: _chosen(TRAINING[options.task](source), options.examples) for source in sources}
    tasks = [_task_adapter(options, model, data, seed) for seed in seeds]
    reports: dict[str, adaptkit.TransferReport] = {}
    for precision in options.precisions.split(";"):
        served = adaptkit.load_model(**PRECISIONS[precision])
        for group in options.groups.split(",") if options.groups else [None]:
            name = (group or "all") + ("" if precision == "32" else f", {precision} bits")
            reports[name] = _evaluated(options, served, tasks, sources[0], group, name)
    facts = [task.card.training for task in tasks]
    measured: dict[str, Any] = {
        "training": [encode(fact) for fact in facts],
        "training_data": {
            source: {"description": part.description, "examples": len(part.examples)} for source, part in data.items()
        },
        "transfer": {name: encode(report.results) for name, report in reports.items()},
    }
    places = ("zoo", "report", "keep", "domain")
    config = {name: str(value) for name, value in vars(options).items() if name not in places}
    if options.domain is not None:
        config["domain"] = adaptkit.load_adapter(options.domain).id
    print(write_result(f"transfer_{options.task}", seeds=seeds, config=config, measured=measured))


def _task_adapter(
    options: argparse.Namespace, model: adaptkit.AdaptedModel, data: Mapping[str, TaskData], seed: int
) -> adaptkit.Adapter:
    kept = options.keep / str(seed) if options.keep is not None else None
    if kept is not None and kept.is_dir():
        return _as_asked(adaptkit.load_adapter(kept), options, data, kept)
    return adaptkit.train_adapter(
        task=options.task,
        method=options.method,
        data=data,
        on=[options.zoo / source for source in data] if options.on_source else [],
        backbone=model,
        run=adaptkit.Run(seed=seed, max_steps=options.max_steps),
        output=kept,
    )


def _as_asked(
    adapter: adaptkit.Adapter, options: argparse.Namespace, data: Mapping[str, TaskData], kept: Path
) -> adaptkit.Adapter:
    """A kept adapter, if it was trained on what this run says it was."""
    facts = adapter.card.training
    assert facts is not None
    found = (adapter.card.source, facts.settings["max_steps"], facts.settings["method"])
    asked = ("; ".join(part.description for part in data.values()), options.max_steps, options.method)
    if found != asked:
        raise SystemExit(f"{kept} was trained with (text, max_steps, method) {found}, this run asks for {asked}.")
    return adapter


def _evaluated(
    options: argparse.Namespace,
    model: adaptkit.AdaptedModel,
    tasks: list[adaptkit.Adapter],
    source: str,
    group: str | None,
    name: str,
) -> adaptkit.TransferReport:
    report = adaptkit.evaluate(
        model,
        task=options.task,
        adapter=tasks,
        languages=options.languages.split(","),
        compare=options.compare.split(","),
        data=data_folder(),
        zoo=options.zoo,
        domain=() if options.domain is None else options.domain,
        source_language=source,
        selection=adaptkit.Selection(split=SPLITS.get(options.task, "test"), limit=options.limit, group=group),
    )
    if options.report is not None:
        report.save(options.report if name == "all" else options.report / name, overwrite=True)
    return report


def _chosen(data: TaskData, n_examples: int | None) -> TaskData:
    examples = list(data.examples)
    random.Random(0).shuffle(examples)
    return replace(data, examples=examples[:n_examples])
