"""Training benchmarks: what contestants are given, and the run of a case from its options to its file."""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adaptkit.backbones import embedded
from benchmarks.process import Contestant, contest, over
from benchmarks.write_results import write_result

BASE = "peft, fp32"


def options_parser() -> argparse.ArgumentParser:
    """The options that the cases have in common."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--only", help="names of contestants, with semicolons between")
    return parser


@contextmanager
def shared_arguments(data: object, settings: Mapping[str, int]) -> Iterator[list[str]]:
    """What every contestant is told: backbone, settings, and the file that holds `data` while the context is open."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.json"
        path.write_text(json.dumps(data), encoding="utf-8")
        told = [f"--{name}={value}" for name, value in settings.items()]
        yield [*told, f"--backbone={embedded.materialise()}", f"--data={path}"]


def run_contest(
    case: str,
    contestants: Mapping[str, Contestant],
    data: object,
    settings: Mapping[str, int],
    options: argparse.Namespace,
    *,
    rate: str,
    finish: Callable[[dict[str, Any]], dict[str, Any]] = lambda results: results,
    **config: object,
) -> None:
    """Train every contestant that is here, and write and print what `finish` makes of the results.

    `rate` is tokens_per_s or pairs_per_s: what is counted, and how many of it a second.
    """
    chosen = {name: contestants[name] for name in options.only.split(";")} if options.only else contestants
    chosen = {name: contestant for name, contestant in chosen.items() if contestant.is_here}
    with shared_arguments(data, {**settings, "steps": options.steps}) as shared:
        results = contest(chosen, shared, repeats=options.repeats, by="elapsed_s")
    for result in results.values():
        result[rate] = round(result[rate.removesuffix("_per_s")] / result["elapsed_s"], 2)
    if BASE in results:
        over(results, BASE, rate=rate)
    config = {**settings, "steps": options.steps, "repeats": options.repeats, **config}
    path = write_result(case, seeds=[settings["seed"]], config=config, measured=finish(results))
    for name, result in results.items():
        print(name, result)
    print(path)
