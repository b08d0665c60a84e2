"""Parts of speech in languages without labels: English labels alone, and with projected tags, words or an adapter.

`python -m benchmarks.run part_of_speech --english FILE [--words bm,ha,ig,rw,sw,yo] [--languages bm,ha,ig,rw,sw,yo]
[--projected] [--zoo FOLDER] [--seeds 0,1,2] [--steps 150] [--batch-size 16] [--least-score 0.4] [--limit N]
[--tasks FOLDER] [--device cuda]`.

No English text with parts of speech is at hand, so FILE is made by a tagger: JSON lines such as `{"words": ["She",
"sells", "maize", "."], "upos": ["PRON", "VERB", "NOUN", "PUNCT"]}` (CoNLL and CoNLL-U are read too). The published
figures are on those that have 4 to 22 words of 4,000 sentences of NTREX and of LAFAND-MT's English for Hausa, drawn
twice (1,925 for words, 1,856 for projection), cut into words and tagged by the npm packages wink-nlp 2.4.0 and
wink-eng-lite-web-model 1.8.1, which say of themselves that about 95 words of 100 are right. The result has the hash of
the file.

The test is MasakhaPOS's. One task adapter is trained in English, one in English and all languages of `--words`, for
each seed, with nothing below. Only sure words are translated: "the", which these languages do not have, else stands for
one of their commonest words, and teaches that it is an article. With `--projected`, one is trained for each language in
English and sentences of the language that have the tags of their translations, as the first English adapter gives them.
Parallel text shares no eight words in a row with a test sentence. `--zoo` is a folder of language adapters by their
tags: each test is also read with its own below, under the very same task adapters.
`--tasks` keeps the task adapters, and takes from there what an earlier call saved; `--limit` takes so many sentences of
each test. Each language is a result file of its own, written as it is done.
"""

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import adaptkit
from adaptkit import AdaptedModel, Adapter, Run, Source
from adaptkit.data.tasks import TaskData
from adaptkit.labelled import read_labelled, read_task, texts_of
from benchmarks.task_gains import Words, kept_or_trained, scores_of_language, trained
from benchmarks.trials.texts import mix_without
from benchmarks.write_results import data_folder, write_result

_SOURCES = ("news", "ntrex", "seed", "tico")


def main(arguments: list[str]) -> None:
    options = _parser().parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    model = adaptkit.load_model(device=options.device)
    english = read_labelled(options.english, language="en", task_type="pos")
    words = Words(english, list(filter(None, options.words.split(","))), _parallel, options.least_score)
    runs = [Run(seed=seed, max_steps=options.steps, batch_size=options.batch_size, progress=False) for seed in seeds]
    tasks = trained(words, model, task="pos", runs=runs, folder=options.tasks)
    config = {name: str(value) for name, value in vars(options).items() if name not in ("english", "tasks", "zoo")}
    config["zoo"] = str(options.zoo is not None)
    for language in filter(None, options.languages.split(",")):
        told, of_language = {}, tasks
        if options.projected:
            found = adaptkit.project_tags(
                parallel=_parallel(language), lang=language, tagger=tasks["english"][0], backbone=model
            )
            told = {"projected": str(found)}
            projected = _on_both(model, {"en": english, language: found.data}, runs, options.tasks)
            of_language = {**tasks, "projected": projected}
        scores = scores_of_language(
            model, of_language, options.zoo, language, _test(language, options.limit), "accuracy"
        )
        measured = {"english": _told(options.english, english), "words": words.told, **told, language: scores}
        print(measured, flush=True)
        print(write_result("part_of_speech", seeds=seeds, config=config, measured=measured), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--english", type=Path, required=True)
    parser.add_argument("--words", default="bm,ha,ig,rw,sw,yo")
    parser.add_argument("--languages", default="bm,ha,ig,rw,sw,yo")
    parser.add_argument("--projected", action="store_true")
    parser.add_argument("--zoo", type=Path)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--least-score", type=float, default=0.4)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--tasks", type=Path)
    parser.add_argument("--device", default="auto")
    return parser


def _on_both(
    model: AdaptedModel, data: Mapping[str, TaskData], runs: Sequence[Run], folder: Path | None
) -> list[Adapter]:
    """Task adapters of English and a language, one for each run."""
    name = "-".join(["projected", *data])
    return [
        kept_or_trained(None if folder is None else folder / f"{name}-{run.seed}", model, "pos", run, lambda: data)
        for run in runs
    ]


def _test(language: str, limit: int | None = None) -> TaskData:
    return read_task("masakhapos", data=data_folder(), language=language, split="test", limit=limit)


def _parallel(language: str) -> list[Source]:
    """The text at hand, without sentences of the test."""
    return mix_without(_SOURCES, language, _test(language))


def _told(file: Path, english: TaskData) -> dict[str, Any]:
    return {
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "sentences": len(english.examples),
        "words": sum(len(text.split()) for example in english.examples for text in texts_of(example)),
    }
