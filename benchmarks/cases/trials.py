"""Many trainings of language adapters side by side on one device, each scored; see benchmarks/trials.

`python -m benchmarks.run trials --plan FILE --device cuda --workers 12 --minutes 5 --output FILE.jsonl`, where the plan
has a trial a line (`benchmarks.trials.trial.Trial`). `--tasks FOLDER` trains task adapters there first, where they are
not yet, so that trials can ask for the scores `names` and `inference`. In `retrieval` either of two equal sentences
counts as found (one sentence of bm, gn and ur stands twice); until 27 November 2026 only its own place did.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.trials.trial import Trial, read_plan
from benchmarks.trials.work import Place, TaskTraining, work
from benchmarks.write_results import write_result

_BENCHMARKS = {"names": "masakhaner", "inference": "xnli"}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--plan", type=Path, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60.0, help="no trial is begun later")
    parser.add_argument("--grace", type=float, default=90.0, help="seconds that trials may go on afterwards")
    parser.add_argument("--output", type=Path, required=True, help="a JSON object a line, written as they end")
    parser.add_argument("--tasks", type=Path)
    parser.add_argument("--names-steps", type=int, default=600)
    parser.add_argument("--inference-steps", type=int, default=1320)
    parser.add_argument("--task-seeds", default="0,1,2")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args(arguments)
    trials = read_plan(options.plan)
    wanted = {score for trial in trials for score in trial.scores} & set(_BENCHMARKS)
    tasks = [] if options.tasks is None else _task_trainings(options, sorted(wanted))
    folders = {score: tuple(job.folder for job in tasks if job.task == _BENCHMARKS[score]) for score in _BENCHMARKS}
    until = time.time() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as measured_before:
        place = Place(options.device, options.output, until, Path(measured_before), **folders, keep=options.keep)
        missing = [task for task in tasks if not task.folder.is_dir()]
        _work_through([*missing, *trials], place, options.workers, until + options.grace)
    measured = [json.loads(line) for line in options.output.read_text(encoding="utf-8").splitlines()]
    config = {"workers": options.workers, "device": options.device, "trials": len(trials)}
    print(
        write_result(
            "trials", seeds=sorted({trial.seed for trial in trials}), config=config, measured={"trials": measured}
        )
    )


def _work_through(jobs: Sequence[TaskTraining | Trial], place: Place, workers: int, end: float) -> None:
    """Until all is done, or the end, when those that are still at work are killed."""
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue()
    for job in [*jobs, *[None] * workers]:
        queue.put(job)
    processes = [spawn.Process(target=work, args=(place, queue)) for _ in range(workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(max(1.0, end - time.time()))
        process.kill()
        process.join()


def _task_trainings(options: argparse.Namespace, wanted: list[str]) -> list[TaskTraining]:
    steps = {"names": options.names_steps, "inference": options.inference_steps}
    return [
        TaskTraining(_BENCHMARKS[score], int(seed), steps[score], options.tasks / score / seed)
        for score in wanted
        for seed in options.task_seeds.split(",")
    ]
