"""What training costs a processor, beside an earlier checkout and beside peft: tokens for each second that it works.

`git worktree add --detach ../before COMMIT`, then `python -m benchmarks.run training_beside ../before [--repeats 3]
[--pairs 32] [--steps 12] [--words-steps 5] [--only "distillation, AVX2;..."]`. Distillation has the translations of
NTREX in Swahili, so many steps over so many pairs; masked words have Swahili news, in so many. One thread, each run in
a process of its own, all sides in turn, as the processor is and as one without AVX-512 would do it (in float32, as it
has no bfloat16). Processor time: what else the machine does makes no difference. Of steps alone, and of the whole
call, in which sentences are tokenised and encoded before and measured between.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from adaptkit.backbones import embedded
from benchmarks import swahili_news
from benchmarks.cases.beside import commit_of
from benchmarks.cases.mlm_training import split_of
from benchmarks.cases.serving_rows import PROCESSORS
from benchmarks.trials.texts import pairs_from
from benchmarks.write_results import write_result

_HERE = Path(__file__).parents[2]
_WORKER = _HERE / "benchmarks/peers/processor_time.py"
_OPTIONS = {"rank": 16, "batch_size": 32, "max_length": 128, "seed": 0}
_PRECISION = {"as it is": "auto", "AVX2": "fp32"}
_LINES = 400


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("other", type=Path, help="another checkout")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=32)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--words-steps", type=int, default=5)
    parser.add_argument("--only", help="rows, with semicolons between")
    options = parser.parse_args(arguments)
    sides = {"other": options.other.resolve(), "this": _HERE}
    tasks = {
        f"{name}, {processor}": (task, processor)
        for processor in PROCESSORS
        for name, task in _tasks(options, processor).items()
    }
    rows = options.only.split(";") if options.only else list(tasks)
    runs: dict[str, dict[str, list[dict[str, Any]]]] = {row: {} for row in rows}
    for number in range(options.repeats):
        for row in rows:
            asked, processor = tasks[row]
            for side, task in asked.items():
                run = _run(task, sides.get(side, _HERE), PROCESSORS[processor])
                runs[row].setdefault(side, []).append(run)
                print(
                    f"{number + 1}/{options.repeats}  {row:28s} {side:6s} {_rate(run, 'elapsed_s'):8.0f} tokens/s",
                    flush=True,
                )
    config = {**vars(options), **_OPTIONS, "other": commit_of(sides["other"])}
    measured = {row: _summed_up(each) for row, each in runs.items()}
    print(json.dumps(measured, indent=1))
    print(write_result("training_beside", seeds=[0], config=config, measured=measured))


def _tasks(options: argparse.Namespace, processor: str) -> dict[str, dict[str, Any]]:
    """What each side of each row is told."""
    pairs = pairs_from("ntrex", "sw")
    random.Random(0).shuffle(pairs)
    lines = swahili_news.lines()[:_LINES]
    told = {**_OPTIONS, "precision": _PRECISION[processor]}
    shared: dict[str, Any] = {"language": "sw"}
    distilled = {**shared, "objective": "distill", "pairs": pairs[: options.pairs]}
    masked = {**shared, "objective": "mlm", "lines": lines, "options": {**told, "max_steps": options.words_steps}}
    distilled["options"] = {**told, "max_steps": options.steps}
    # What peft holds out is measured at its end, which is not looked at here.
    split = {**split_of(lines), "heldout": lines[:1]}
    peft = {"module": "plain_mlm", "data": split, "steps": options.words_steps, "bf16": processor != "AVX2"}
    return {
        "distillation": {"other": distilled, "this": distilled},
        "masked words": {"other": masked, "this": masked, "peft": peft},
    }


def _run(task: Mapping[str, Any], checkout: Path, processor: Mapping[str, str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        if "module" in task:
            data = Path(folder) / "data.json"
            data.write_text(json.dumps(task["data"]), encoding="utf-8")
            task = {"module": task["module"], "arguments": _told_peft(task, data)}
        path = Path(folder) / "task.json"
        path.write_text(json.dumps(task), encoding="utf-8")
        environment = {**os.environ, **processor, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(checkout)}
        command = [sys.executable, str(_WORKER), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"{checkout}: {done.stderr.strip()[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _told_peft(task: Mapping[str, Any], data: Path) -> list[str]:
    settings = {"batch-size": _OPTIONS["batch_size"], "max-length": _OPTIONS["max_length"], "rank": _OPTIONS["rank"]}
    told = {**settings, "seed": _OPTIONS["seed"], "steps": task["steps"], "library": "peft", "data": data}
    given = [f"--{name}={value}" for name, value in {**told, "backbone": embedded.materialise()}.items()]
    return [*given, "--group-by-length", *(["--bf16"] if task["bf16"] else [])]


def _rate(run: Mapping[str, Any], seconds: str) -> float:
    return float(run["tokens"] / run[seconds])


def _summed_up(runs: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Of each side its runs and the medians of their rates; this side's over each other one's."""
    found: dict[str, Any] = {}
    for side, each in runs.items():
        timed = [name for name in ("elapsed_s", "whole_call_s") if name in each[0]]
        rates = {name: round(median(_rate(run, name) for run in each), 1) for name in timed}
        found[side] = {"tokens_per_s": rates, "peak_memory_bytes": max(run["peak_memory_bytes"] for run in each)}
        found[side]["runs"] = each
    ours = found["this"]["tokens_per_s"]
    for side in found.keys() - {"this"}:
        theirs = found[side]["tokens_per_s"]
        found[side]["this_over_it"] = {name: round(ours[name] / rate, 3) for name, rate in theirs.items()}
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
