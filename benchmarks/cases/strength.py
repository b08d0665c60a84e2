"""How strongly a language adapter should act, by task: what each strength gives, over the backbone without it.

`python -m benchmarks.run strength --zoo FOLDER [--languages bm,ha] [--strengths 0.25,0.5,0.75,1] [--split dev]
[--names FOLDER,...] [--pos FOLDER,...] [--inference FOLDER,...] [--limit N] [--bits 16]`.

`--zoo` is a folder of language adapters by their tags. At a strength of 0.5, every site gives its own output and half
of what the adapter adds: `average(language/ha: 0.5)`. Topics and translations found need nothing more; names, parts of
speech and inference are answered by the task adapters in the folders that are given. `--split` is that of the labelled
tests, and of topics; FLORES has one. Each language is a result file of its own, written as it is done.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import adaptkit
from adaptkit import AdaptedModel, Adapter, Stack
from adaptkit.composition import at_strength
from adaptkit.data.tasks import TaskData
from adaptkit.evaluation.attached import attached
from adaptkit.labelled import read_task, task_spec
from adaptkit.scores import paired_difference
from benchmarks.retrieval import found_by_vectors
from benchmarks.sib200 import SIB_FOLDER, ZeroShot, read_topics
from benchmarks.task_scores import difference, scored
from benchmarks.trials.scores import INFERENCE, NAMES, flores_sentences, has_flores
from benchmarks.write_results import data_folder, write_result

_TESTS = {"names": ("masakhaner", NAMES), "pos": ("masakhapos", NAMES), "inference": ("xnli", INFERENCE)}
_Below = Stack | None


def main(arguments: list[str]) -> None:
    options = _parser().parse_args(arguments)
    model = adaptkit.load_model(bits=options.bits)
    topics = ZeroShot(model)
    english = model.encode(flores_sentences("en"))
    tasks = {
        name: [adaptkit.load_adapter(folder) for folder in getattr(options, name).split(",") if folder]
        for name in _TESTS
    }
    config = {name: str(value) for name, value in vars(options).items() if name not in ("zoo", *_TESTS)}
    config |= {name: str(len(found)) for name, found in tasks.items()}
    for language in options.languages.split(","):
        adapter = adaptkit.load_adapter(options.zoo / language)
        measured: dict[str, Any] = {"weights_sha256": adapter.weights_sha256, "source": adapter.card.source}
        if language in SIB_FOLDER:
            split = "development" if options.split == "dev" else "test"
            measured["topics"] = _of_right(options, model, adapter, partial(_topics, model, topics, language, split))
        if has_flores(language):
            measured["retrieval"] = _of_right(options, model, adapter, partial(_found, model, english, language))
        for name, (task, languages) in _TESTS.items():
            if language in languages and tasks[name]:
                test = read_task(task, data=data_folder(), language=language, split=options.split, limit=options.limit)
                measured[name] = _of_tasks(options, model, adapter, tasks[name], test, task_spec(task).metrics[0])
        print(language, measured, flush=True)
        print(write_result("strength", seeds=[], config=config, measured={language: measured}), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--zoo", type=Path, required=True)
    parser.add_argument("--languages", default="bm,ha,ig,rw,sw,yo")
    parser.add_argument("--strengths", default="0.25,0.5,0.75,1")
    parser.add_argument("--split", default="test", choices=("dev", "test"))
    for name in _TESTS:
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--bits", type=int, default=32)
    return parser


def _strengths(options: argparse.Namespace) -> list[float]:
    return [float(strength) for strength in options.strengths.split(",")]


def _of_right(
    options: argparse.Namespace, model: AdaptedModel, adapter: Adapter, right: Callable[[_Below], np.ndarray]
) -> dict[str, Any]:
    """Of answers that are right or wrong."""
    without = right(None)
    found: dict[str, Any] = {"without": round(100 * float(without.mean()), 2), "n": len(without)}
    with attached(model, adapter):
        for strength in _strengths(options):
            with_ = right(Stack(at_strength(adapter.id, strength)))
            gain = paired_difference(with_[None], without[None])
            found[str(strength)] = {
                "score": round(100 * float(with_.mean()), 2),
                "gain": round(gain.mean, 2),
                "interval_95": [round(gain.low, 2), round(gain.high, 2)],
            }
    return found


def _topics(model: AdaptedModel, topics: ZeroShot, language: str, split: str, stack: _Below) -> np.ndarray:
    return topics.head.correct(model, *read_topics(language, split), stack=stack)


def _found(model: AdaptedModel, english: Any, language: str, stack: _Below) -> np.ndarray:  # noqa: ANN401 - a tensor
    texts = flores_sentences(language)
    own = model.encode(texts, stack=stack)
    both = (own, english, flores_sentences("en")), (english, own, texts)
    return np.concatenate([found_by_vectors(*each) for each in both])


def _of_tasks(
    options: argparse.Namespace,
    model: AdaptedModel,
    adapter: Adapter,
    tasks: Sequence[Adapter],
    test: TaskData,
    metric: str,
) -> dict[str, Any]:
    """Of task adapters with the language's below, over all of them."""
    without = [scored(model, task, [], test, metric) for task in tasks]
    found: dict[str, Any] = {"without": [round(run.score, 2) for run in without], "n": len(test.examples)}
    for strength in _strengths(options):
        each = [scored(model, task, [adapter], test, metric, strength=strength) for task in tasks]
        gain = difference(each, without)
        found[str(strength)] = {
            "score": [round(run.score, 2) for run in each],
            "gain": round(gain["mean"], 2),
            "interval_95": [round(gain["low"], 2), round(gain["high"], 2)],
        }
    return found
