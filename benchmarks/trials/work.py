"""What one process does: it takes work from a queue until none is left or the time is over."""

import json
import os
import time
import traceback
from dataclasses import asdict, dataclass
from multiprocessing import Queue
from pathlib import Path
from typing import Any, cast

import adaptkit
from adaptkit.objectives import OBJECTIVES
from benchmarks.halves import in_half
from benchmarks.trials.scores import Scores
from benchmarks.trials.texts import Pairs, lexicon_of, mix
from benchmarks.trials.trial import Trial


@dataclass(frozen=True)
class TaskTraining:
    """A task adapter that trials are scored with: trained in English with nothing below, saved to a folder."""

    task: str
    seed: int
    steps: int
    folder: Path


@dataclass(frozen=True)
class Place:
    """Where the work is done and written, until when work is begun, and where measurements are kept meanwhile."""

    device: str
    output: Path
    until: float
    measured: Path
    names: tuple[Path, ...] = ()
    inference: tuple[Path, ...] = ()
    keep: Path | None = None


def work(place: Place, queue: "Queue[TaskTraining | Trial | None]") -> None:
    """Do what the queue holds; every outcome is a line of the output at once."""
    model = adaptkit.load_model(device=place.device)
    # A folder for each process, as one that is over its time is killed: what it leaves goes with those of the others.
    scores = Scores(model, place.measured / str(os.getpid()), list(place.names), list(place.inference))
    while (job := queue.get()) is not None and time.time() < place.until:
        started = time.time()
        try:
            measured = _task(model, job) if isinstance(job, TaskTraining) else _trial(model, job, scores, place)
        except Exception:
            measured = {"error": traceback.format_exc()[-1500:]}
        line = {**asdict(job), "started": started, "seconds": round(time.time() - started, 1), **measured}
        with place.output.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")
        print(
            line.get("group", line.get("task")),
            line.get("language"),
            line["seconds"],
            measured.get("error", ""),
            flush=True,
        )


def _task(model: adaptkit.AdaptedModel, job: TaskTraining) -> dict[str, Any]:
    from benchmarks.cases.transfer import TRAINING

    adapter = adaptkit.train_adapter(
        task=job.task,
        data={"en": TRAINING[job.task]("en")},
        backbone=model,
        run=adaptkit.Run(seed=job.seed, max_steps=job.steps, progress=False),
        output=job.folder,
    )
    return {"training": _facts(adapter)}


def _trial(model: adaptkit.AdaptedModel, trial: Trial, scores: Scores, place: Place) -> dict[str, Any]:
    sources = mix(trial.sources, trial.language, trial.most)
    if not sources:
        return {"error": "no text"}
    adapter = adaptkit.train_adapter(
        lang=trial.language,
        **_text(trial, sources),
        **trial.call,
        force=True,
        objective=OBJECTIVES[trial.objective].options(**trial.options),
        method=adaptkit.Lora(**trial.lora),
        backbone=model,
        run=adaptkit.Run(seed=trial.seed, max_steps=trial.steps, progress=False, **trial.run),
    )
    trained = time.time()
    if place.keep is not None and trial.keep:
        adapter = in_half(model, adapter)
        adapter.save(place.keep / trial.name.replace(" ", "-"), overwrite=True)
    _wait_for((*place.names, *place.inference) if {"names", "inference"} & set(trial.scores) else (), place.until)
    waited = time.time()
    measured = scores.of(adapter, trial.language, trial.scores)
    return {
        "pairs": sum(len(cast("Pairs", source.text)) for source in sources),
        "training": _facts(adapter),
        "scoring_s": round(time.time() - waited, 1),
        "waited_s": round(waited - trained, 1),
        **measured,
    }


def _text(trial: Trial, sources: list[adaptkit.Source]) -> dict[str, Any]:
    lexicon = {"lexicon": lexicon_of(trial.language)} if trial.lexicon else {}
    if trial.objective == "gloss":
        sentences = [sentence for source in sources for _, sentence in cast("Pairs", source.text)]
        return {"text": sentences, **lexicon}
    return {"parallel": sources, **lexicon}


def _wait_for(folders: tuple[Path, ...], until: float) -> None:
    """Until other processes have trained these adapters."""
    while time.time() < until and not all((folder / "adaptkit.json").is_file() for folder in folders):
        time.sleep(1)


def _facts(adapter: adaptkit.Adapter) -> dict[str, Any]:
    facts = adapter.card.training
    assert facts is not None
    return {
        "steps": facts.steps,
        "elapsed_s": facts.elapsed_s,
        "tokens_per_s": facts.tokens_per_s,
        "heldout_loss_before": facts.heldout_loss_before,
        "heldout_loss_after": facts.heldout_loss_after,
    }
