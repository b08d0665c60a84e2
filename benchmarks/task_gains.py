"""A task trained in English, and beside it in translated words: what each gives a language, with its adapter below."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import adaptkit
from adaptkit import AdaptedModel, Adapter, Source
from adaptkit.data.tasks import TaskData
from benchmarks.task_scores import Score, answered, difference, score_of, together


@dataclass
class Words:
    """The English examples in other languages, translated as soon as they are asked for.

    `parallel` gives the text at hand for a language.
    """

    english: TaskData
    languages: list[str]
    parallel: Callable[[str], list[Source]]
    told: dict[str, str] = field(default_factory=dict)
    _found: dict[str, TaskData] = field(default_factory=dict)

    def with_english(self) -> dict[str, TaskData]:
        """By language, English first."""
        return {"en": self.english, **{language: self._translated(language) for language in self.languages}}

    def _translated(self, language: str) -> TaskData:
        if language not in self._found:
            found = adaptkit.translate_words(self.english, parallel=self.parallel(language), lang=language)
            self._found[language] = found.data
            self.told[language] = str(found)
            print(found, flush=True)
        return self._found[language]


def trained(
    options: argparse.Namespace,
    model: AdaptedModel,
    words: Words,
    *,
    task: str,
    seeds: list[int],
) -> dict[str, list[Adapter]]:
    """Task adapters of English alone, and of English and words where there are any; of each, one for each seed.

    Of the options, `steps` says how long, and `tasks`, a folder, is where they are kept, or are from already.
    """
    data: dict[str, Callable[[], Mapping[str, TaskData]]] = {"english": lambda: {"en": words.english}}
    if words.languages:
        data["words"] = words.with_english
    return {name: [_trained(options, model, task, name, seed, data[name]) for seed in seeds] for name in data}


def _trained(
    options: argparse.Namespace,
    model: AdaptedModel,
    task: str,
    name: str,
    seed: int,
    data: Callable[[], Mapping[str, TaskData]],
) -> Adapter:
    kept = None if options.tasks is None else options.tasks / f"{name}-{seed}"
    if kept is not None and kept.is_dir():
        return adaptkit.load_adapter(kept)
    run = adaptkit.Run(seed=seed, max_steps=options.steps, progress=False)
    return adaptkit.train_adapter(task=task, data=data(), backbone=model, run=run, output=kept)


def scores_of_language(
    model: AdaptedModel,
    tasks: Mapping[str, list[Adapter]],
    zoo: Path | None,
    language: str,
    test: TaskData,
    metric: str,
) -> dict[str, Any]:
    """Scores by seed, and gains over English alone; read also with the language's adapter below, and by both."""
    runs: dict[str, list[Score]] = {}
    stacks = _stacks(zoo, language)
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


def _stacks(zoo: Path | None, language: str) -> dict[str, list[Adapter]]:
    """What lies below a task, by what is said behind its name."""
    folder = None if zoo is None else zoo / language
    return {"": []} if folder is None or not folder.is_dir() else {"": [], ", target": [adaptkit.load_adapter(folder)]}
