"""A task trained in English, and in English and languages that its words are translated into, on tests of many.

`python -m benchmarks.run task_words --task xnli [--words sw,ur,hi] [--languages sw,ur,hi,en] [--seeds 0] [--steps 500]
[--limit 1000] [--zoo FOLDER] [--tasks FOLDER] [--device cuda]`. Words are learned from the text at hand but
dictionaries. `--zoo` is a folder of language adapters by their tags: each test that has one is also read with it below,
under the very task adapters that were trained without, and answered by both together (`ensemble`). `--tasks` keeps the
task adapters, and takes from there what an earlier call saved. Without `--words`, or without `--languages`, that part
is left out.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import adaptkit
from adaptkit import AdaptedModel, Adapter
from adaptkit.data.tasks import TaskData
from adaptkit.labelled import read_task, task_spec
from benchmarks.cases.transfer import TRAINING
from benchmarks.task_scores import Score, answered, difference, score_of, together
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
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    model = adaptkit.load_model(device=options.device)
    english = TRAINING[options.task]("en")
    words = Words(english, list(filter(None, options.words.split(","))))
    tasks = {"english": [_trained(options, model, "english", seed, lambda: {"en": english}) for seed in seeds]}
    if words.languages:
        tasks["words"] = [_trained(options, model, "words", seed, words.with_english) for seed in seeds]
    metric = task_spec(options.task).metrics[0]
    measured: dict[str, Any] = {"words": words.told}
    for language in filter(None, options.languages.split(",")):
        test = read_task(options.task, data=data_folder(), language=language, split="test", limit=options.limit)
        measured[language] = _of_language(model, tasks, _stacks(options.zoo, language), test, metric)
        print(language, measured[language], flush=True)
    config = {name: str(value) for name, value in vars(options).items() if name not in ("tasks", "zoo")}
    config["zoo"] = str(options.zoo is not None)
    print(write_result("task_words", seeds=seeds, config=config, measured=measured))


@dataclass
class Words:
    """The English examples in other languages, translated as soon as they are asked for."""

    english: TaskData
    languages: list[str]
    told: dict[str, str] = field(default_factory=dict)
    _found: dict[str, TaskData] = field(default_factory=dict)

    def with_english(self) -> dict[str, TaskData]:
        """By language, English first."""
        return {"en": self.english, **{language: self._translated(language) for language in self.languages}}

    def _translated(self, language: str) -> TaskData:
        if language not in self._found:
            found = adaptkit.translate_words(self.english, parallel=mix(_SOURCES, language), lang=language)
            self._found[language] = found.data
            self.told[language] = str(found)
            print(found, flush=True)
        return self._found[language]


def _stacks(zoo: Path | None, language: str) -> dict[str, list[Adapter]]:
    """What lies below a task, by what is said behind its name."""
    folder = None if zoo is None else zoo / language
    return {"": []} if folder is None or not folder.is_dir() else {"": [], ", target": [adaptkit.load_adapter(folder)]}


def _of_language(
    model: AdaptedModel,
    tasks: Mapping[str, list[Adapter]],
    stacks: Mapping[str, list[Adapter]],
    test: TaskData,
    metric: str,
) -> dict[str, Any]:
    runs: dict[str, list[Score]] = {}
    for name, found in tasks.items():
        for task in found:
            answers = {behind: answered(model, task, below, test) for behind, below in stacks.items()}
            of_all = together(task, list(answers.values())) if len(answers) > 1 else None
            if of_all is not None:
                answers[", ensemble"] = of_all
            for behind, given in answers.items():
                runs.setdefault(f"{name}{behind}", []).append(score_of(given, task, test, metric))
    scores = {name: [round(run.score, 2) for run in found] for name, found in runs.items()}
    gains = {name: difference(found, runs["english"]) for name, found in runs.items() if name != "english"}
    return {**scores, "gains": gains}


def _trained(
    options: argparse.Namespace, model: AdaptedModel, name: str, seed: int, data: Callable[[], Mapping[str, TaskData]]
) -> Adapter:
    kept = None if options.tasks is None else options.tasks / f"{name}-{seed}"
    if kept is not None and kept.is_dir():
        return adaptkit.load_adapter(kept)
    run = adaptkit.Run(seed=seed, max_steps=options.steps, progress=False)
    return adaptkit.train_adapter(task=options.task, data=data(), backbone=model, run=run, output=kept)
