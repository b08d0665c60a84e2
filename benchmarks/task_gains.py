"""A task trained in English, and beside it in translated words: what each gives a language, with its adapter below."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import adaptkit
from adaptkit import AdaptedModel, Adapter, Run, Source
from adaptkit.config import LEAST_WORD_SCORE
from adaptkit.data.tasks import TaskData
from benchmarks.task_scores import Score, answered, difference, score_of, together


@dataclass
class Words:
    """The English examples in other languages, translated as soon as they are asked for.

    `parallel` gives the text at hand for a language, and `least_score` is that of `translate_words`.
    """

    english: TaskData
    languages: list[str]
    parallel: Callable[[str], list[Source]]
    least_score: float = LEAST_WORD_SCORE
    told: dict[str, str] = field(default_factory=dict)
    _found: dict[str, TaskData] = field(default_factory=dict)

    def with_english(self) -> dict[str, TaskData]:
        """By language, English first."""
        return {"en": self.english, **{language: self._translated(language) for language in self.languages}}

    def _translated(self, language: str) -> TaskData:
        if language not in self._found:
            found = adaptkit.translate_words(
                self.english, parallel=self.parallel(language), lang=language, least_score=self.least_score
            )
            self._found[language] = found.data
            self.told[language] = str(found)
            print(found, flush=True)
        return self._found[language]


def trained(
    words: Words, model: AdaptedModel, *, task: str, runs: Sequence[Run], folder: Path | None
) -> dict[str, list[Adapter]]:
    """Task adapters of English alone, and of English and words where there are any; of each, one for each run.

    They are kept in a folder, or are from there already.
    """
    data: dict[str, Callable[[], Mapping[str, TaskData]]] = {"english": lambda: {"en": words.english}}
    if words.languages:
        data["words"] = words.with_english
    return {
        name: [
            kept_or_trained(None if folder is None else folder / f"{name}-{run.seed}", model, task, run, data[name])
            for run in runs
        ]
        for name in data
    }


def kept_or_trained(
    kept: Path | None,
    model: AdaptedModel,
    task: str,
    run: Run,
    data: Callable[[], Mapping[str, TaskData]],
    prefix: str | None = None,
) -> Adapter:
    """The task adapter of that folder, or one that is trained now, and kept there if a folder is named."""
    if kept is not None and kept.is_dir():
        return adaptkit.load_adapter(kept)
    return adaptkit.train_adapter(task=task, data=data(), prefix=prefix, backbone=model, run=run, output=kept)


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
