"""The options of distillation one by one: what decisions 6, 7 and 10 rest on, and as 19 what is off by default yet.

`python -m benchmarks.run distill_variants --decision 6 [--languages ha] [--seeds 0] [--max-steps 900] [--pairs N]
[--variants "no sources;every source"] [--tasks FOLDER,FOLDER [--limit N]]`

Topics of SIB-200 by a head trained on English without any adapter: of the sentences of the train and dev splits, by
which the choices were made, and of the test set. `--tasks` are task adapters trained without any language adapter, such
as `benchmarks.run transfer --keep F` saves as F/SEED; each is scored on its benchmark's development set. `--limit N`
scores the first N examples of each.
"""

import argparse
import random
import tempfile
from pathlib import Path
from typing import Any

import adaptkit
from adaptkit.evaluation.attached import attached
from benchmarks.sib200 import ZeroShot, parallel_pairs, read_topics
from benchmarks.write_results import data_folder, write_result

_SENTENCES = {"pair_share": 0.0, "token_anchor": 0.0}
_LAST_BLOCK = {**_SENTENCES, "inner_weight": 0.0}
VARIANTS: dict[int, dict[str, dict[str, Any]]] = {
    6: {
        "no sources": {**_LAST_BLOCK, "source_share": 0.0},
        "every third source": {**_LAST_BLOCK, "source_share": 1 / 3},
        "every source": {**_LAST_BLOCK, "source_share": 1.0},
    },
    7: {"last block": _LAST_BLOCK, "three depths": _SENTENCES},
    10: {
        "sentences": _SENTENCES,
        "pairs": {"token_anchor": 0.0},
        **{f"pairs and anchors {anchor:g}": {"token_anchor": anchor} for anchor in (0.1, 0.5, 1.0, 2.5)},
    },
    19: {
        "default": {},
        "weak anchors": {"token_anchor": 0.1},
        "weak anchors on a quarter": {"token_anchor": 0.1, "anchor_share": 0.25},
        "anchors on a quarter": {"anchor_share": 0.25},
        "anchors on shared words": {"anchor_on": "shared"},
        "strong anchors on shared words": {"anchor_on": "shared", "token_anchor": 1.0},
        "similarities": {"relation_weight": 1.0},
        "similarities, warmer": {"relation_weight": 1.0, "similarity_temperature": 0.2},
        "distances": {"relation_weight": 1.0, "relation": "distances"},
        "contrast": {"contrast_weight": 0.1},
        "similarities, weak anchors": {"relation_weight": 1.0, "token_anchor": 0.1},
    },
}
"""Options of `adaptkit.Distill` by what they are called in a row, for each decision; 19 has none yet."""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--decision", type=int, choices=list(VARIANTS), required=True)
    parser.add_argument("--variants", help="some of the decision's, with semicolons between")
    parser.add_argument("--languages", default="ha")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--tasks", default="")
    parser.add_argument("--limit", type=int)
    options = parser.parse_args(arguments)
    variants = VARIANTS[options.decision]
    seeds = [int(seed) for seed in options.seeds.split(",")]
    tasks = [adaptkit.load_adapter(folder) for folder in options.tasks.split(",") if folder]
    measured: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        score = Scores(ZeroShot(adaptkit.load_model()), tasks, options.limit, Path(folder))
        for language in options.languages.split(","):
            measured[language] = {"no adapter": score.of(language, None)}
            for variant in options.variants.split(";") if options.variants else variants:
                rows = [_trained(options, language, variants[variant], seed) for seed in seeds]
                measured[language][variant] = [score.of(language, adapter) for adapter in rows]
                print(language, variant, measured[language][variant], flush=True)
    config = {
        "decision": options.decision,
        "max_steps": options.max_steps,
        "pairs": options.pairs,
        "limit": options.limit,
        "tasks": [f"{task.id} ({task.weights_sha256[:12]})" for task in tasks],
    }
    print(write_result("distill_variants", seeds=seeds, config=config, measured=measured))


def _trained(options: argparse.Namespace, language: str, variant: dict[str, Any], seed: int) -> adaptkit.Adapter:
    source, pairs = parallel_pairs(language)
    random.Random(0).shuffle(pairs)
    pairs = pairs[: options.pairs]
    return adaptkit.train_adapter(
        lang=language,
        parallel=pairs,
        source_lang=source,
        objective=adaptkit.Distill(**variant),
        run=adaptkit.Run(seed=seed, max_steps=options.max_steps),
    )


class Scores:
    """How a language adapter is scored; what is measured without one is kept and not measured twice."""

    def __init__(self, topics: ZeroShot, tasks: list[adaptkit.Adapter], limit: int | None, keep: Path) -> None:
        self._topics = topics
        self._tasks = tasks
        self._limit = limit
        self._keep = keep

    def of(self, language: str, adapter: adaptkit.Adapter | None) -> dict[str, float]:
        """Topics, and the first metric of each task that has a development set in the language, 0 to 100."""
        with_tasks = [task for task in self._tasks if language in self._languages(task)]
        return self._of_topics(language, adapter) | {
            task.name: self._of_task(language, adapter, task) for task in with_tasks
        }

    def _of_topics(self, language: str, adapter: adaptkit.Adapter | None) -> dict[str, float]:
        model, head = self._topics.model, self._topics.head
        parts = {
            name: [column[: self._limit] for column in read_topics(language, split)]
            for name, split in (("topics, train and dev", "development"), ("topics, test", "test"))
        }
        with attached(model, *([] if adapter is None else [adapter])):
            found = {
                name: head.correct(model, texts, topics, stack=adapter).mean()
                for name, (texts, topics) in parts.items()
            }
        return {name: round(100 * float(share), 2) for name, share in found.items()}

    def _languages(self, task: adaptkit.Adapter) -> tuple[str, ...]:
        return adaptkit.task_languages(task.name, data_folder(), split="dev")

    def _of_task(self, language: str, adapter: adaptkit.Adapter | None, task: adaptkit.Adapter) -> float:
        report = adaptkit.evaluate(
            self._topics.model,
            task=task.name,
            adapter=task,
            languages=language,
            compare="none" if adapter is None else "target",
            data=data_folder(),
            zoo=[] if adapter is None else [adapter],
            # A task of several languages names none; nothing of the source's is compared here.
            source_language=task.language or language,
            selection=adaptkit.Selection(split="dev", limit=self._limit),
            measuring=adaptkit.Measuring(keep=self._keep, progress=False),
        )
        cell = report.results.cells[-1]
        return round(cell.scores[report.results.metrics[0]][0], 2)
