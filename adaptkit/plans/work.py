"""What a process of a plan does: `python -m adaptkit.plans.work` reads a job, and answers in lines of JSON.

The job is one line of standard input, which stays open as long as the process that asked lives: at its end this one
stops as at a scheduler's signal, with its checkpoint kept. What libraries print goes to standard error, a log.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TextIO

import psutil
import torch

from adaptkit.backbones.device import best_device
from adaptkit.errors import AdaptkitError, TrainingInterrupted
from adaptkit.model import AdaptedModel, load_model
from adaptkit.named_modules import import_each
from adaptkit.recipes.place import check_output
from adaptkit.recipes.train import estimate, problems_of, train
from adaptkit.requests import Pretrained
from adaptkit.requests.asked import AnyRequest
from adaptkit.requests.output import Output, checkpoint_folder
from adaptkit.requests.planned import planned_request
from adaptkit.training.checkpoint import remove_checkpoint
from adaptkit.training.display import Silent
from adaptkit.training.progress import Progress

Tell = Callable[..., None]


class Telling:
    """A display that tells the process that asked."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def note(self, text: str) -> None:
        """A sentence."""
        self._tell(note=text)

    def step(self, progress: Progress, total_steps: int, loss: float) -> None:
        """How far it is."""
        self._tell(step=progress.step, of=total_steps, loss=loss, tokens=progress.tokens, elapsed_s=progress.elapsed_s)

    def heldout(self, measures: Mapping[str, float], scores: Mapping[str, float]) -> None:  # noqa: ARG002
        """A held-out loss."""
        self._tell(heldout=measures["loss"])


def main() -> None:
    """Do the job."""
    began_s = time.time() - psutil.Process().create_time()
    tell = _teller()
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_who_asked, daemon=True).start()
    answer(job, tell, started_s=began_s)


def answer(job: Mapping[str, Any], tell: Tell, *, started_s: float = 0.0) -> None:
    """Do a job, and tell what came of it. `started_s` is what it took until this process could begin."""
    try:
        import_each(job["modules"])
        if "measure" in job:
            _measure(job["measure"], tell, started_s)
        else:
            _train(job["train"], tell)
    except TrainingInterrupted as error:
        tell(interrupted=str(error))
    except AdaptkitError as error:
        tell(failed=type(error).__name__, message=str(error))


def _teller() -> Tell:
    """Writes lines of JSON to where standard output was; what others write there goes to standard error."""
    answers: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)

    def tell(**said: object) -> None:
        answers.write(f"{json.dumps(said)}\n")

    return tell


def _end_with_who_asked() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _train(job: Mapping[str, Any], tell: Tell) -> None:
    request = planned_request(job["options"])
    output = replace(request.output, resume_or_start=True, overwrite=job["replaces"])
    if job["anew"] and output.path is not None:
        remove_checkpoint(checkpoint_folder(output.path))
    adapter = train(_quiet(request, output), Telling(tell))
    tell(trained=adapter.weights_sha256)


def _measure(jobs: Mapping[str, Mapping[str, Any]], tell: Tell, started_s: float) -> None:
    """Say what the machine has, and what each training would cost there; one backbone serves all that name it."""
    tell(
        device=best_device(),
        gpus=torch.cuda.device_count(),
        memory_bytes=psutil.virtual_memory().total,
    )
    held: dict[Pretrained, Loaded] = {}
    # What is wrong with the last of many is not to be told only when all the others are measured.
    sound = [id_ for id_, job in jobs.items() if _tried(id_, tell, partial(_look, job, held))]
    for id_ in sound:
        _tried(id_, tell, partial(_cost, jobs[id_], held, started_s))


def _tried(id_: str, tell: Tell, work: Callable[[], Mapping[str, object]]) -> bool:
    """Tell what comes of a training's work; whether it could be done."""
    try:
        tell(of=id_, **work())
    except AdaptkitError as error:
        tell(of=id_, failed=type(error).__name__, message=str(error))
        return False
    return True


def _look(job: Mapping[str, Any], held: dict[Pretrained, "Loaded"]) -> Mapping[str, object]:
    """What is worth a look in the text of a training."""
    request = planned_request(job["options"])
    output = replace(request.output, resume_or_start=True, overwrite=job["replaces"])
    check_output(output)
    return {"problems": problems_of(replace(_quiet(request, output), backbone=_loaded(request, held).model))}


def _cost(job: Mapping[str, Any], held: dict[Pretrained, "Loaded"], started_s: float) -> Mapping[str, object]:
    request = planned_request(job["options"])
    loaded = _loaded(request, held)
    unwritten = Output(private=request.output.private, licence=request.output.licence)
    found = estimate(replace(_quiet(request, unwritten), backbone=loaded.model), Silent())
    cost = {
        "steps": found.n_steps,
        "started_s": started_s + loaded.elapsed_s,
        "prepared_s": found.preparation_s,
        "elapsed_s": found.elapsed_s,
        "evaluations_s": found.evaluations_s,
        "peak_memory_bytes": found.peak_memory_bytes,
        "adapter_bytes": found.adapter_bytes,
    }
    return {"cost": cost, "problems": found.problems}


@dataclass(frozen=True)
class Loaded:
    """A backbone, and how long it took to load it."""

    model: AdaptedModel
    elapsed_s: float


def _loaded(request: AnyRequest, held: dict[Pretrained, Loaded]) -> Loaded:
    asked = request.backbone
    assert isinstance(asked, Pretrained)  # noqa: S101 - a file names it
    if asked not in held:
        held.clear()  # one at a time: those of a plan may be large
        began = time.perf_counter()
        model = load_model(asked.backbone, bits=asked.bits, embeddings=asked.embeddings, device=asked.device)
        held[asked] = Loaded(model, time.perf_counter() - began)
    return held[asked]


def _quiet(request: AnyRequest, output: Output) -> AnyRequest:
    return replace(request, run=replace(request.run, progress=False), output=output)


if __name__ == "__main__":
    main()
