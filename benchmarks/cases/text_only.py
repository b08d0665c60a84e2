"""Adapters of text without translations, scored on SIB-200 zero-shot: masked tokens, a dictionary, or mined pairs.

`python -m benchmarks.run text_only [--languages ha,sw,gn,quy] [--ways mlm,gloss,mined,glossary] [--seeds 0,1,2]
[--steps 900] [--device cuda] [--sentences 2000] [--gloss '{"copy_share": 0.3}'] [--stems both] [--threshold 1.02]`

A `glossary` is learned from the mined pairs and the dictionary, those of the two that there are.

The text is news (ha, sw), news and web (gn) or examples of a dictionary (quy); of other languages it is Wikipedia
of NLLB-Seed (bm, dz) or NTREX. Dictionaries are those of GATITOS; where a language has none, `gloss` is left out.
Pairs are mined from English that is no translation of the text. Choices are to be made on the development sentences.
Training refuses the text of dz, whose script the tokenizer does not know: its benchmark is new_script.
Until 27 November 2026 the text of Quechua had two examples more, which lack their Spanish, and a byte order mark.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

import adaptkit
from adaptkit import AdaptedModel, Adapter, Gloss, MinedPairs, Mlm, Run, Source
from adaptkit.data.corpus import open_corpus
from adaptkit.data.lexicon import Stems
from adaptkit.data.margin import THRESHOLD
from benchmarks.free_text import VOA, news
from benchmarks.sib200 import AMERICAS, LAFAND, ZeroShot, overlap, read_topics
from benchmarks.trials.texts import GATITOS, SEED, lexicon_of, pairs_from
from benchmarks.write_results import write_result

_LEAST_PAIRS = 20
_NEWS = tuple(VOA)
# Of a collection, the English is the same whatever the language.
_ENGLISH_OF_NTREX, _ENGLISH_OF_SEED = "sw", "bm"


@dataclass(frozen=True, kw_only=True)
class TextOnly:
    """What is trained on; `sentences` bounds the text and the English that pairs are mined from, None is all."""

    model: AdaptedModel
    steps: int | None = None
    sentences: int | None = None
    gloss: Mapping[str, Any] = field(default_factory=dict)
    stems: Stems = "begin"
    threshold: float = THRESHOLD
    _mined: dict[str, MinedPairs] = field(default_factory=dict)

    def trained(self, way: str, language: str, seed: int) -> tuple[Adapter | None, dict[str, Any]]:
        """The adapter, None where there is nothing to train it so, and what there is to say of its text."""
        return WAYS[way](self, language, Run(seed=seed, max_steps=self.steps, progress=False))

    def mlm(self, language: str, run: Run) -> tuple[Adapter | None, dict[str, Any]]:
        text = text_of(language)[: self.sentences]
        return adaptkit.train_adapter(lang=language, text=text, objective=Mlm(), run=run, backbone=self.model), {}

    def glossed(self, language: str, run: Run) -> tuple[Adapter | None, dict[str, Any]]:
        if language not in GATITOS:
            return None, {}
        text, lexicon = text_of(language)[: self.sentences], lexicon_of(language, self.stems)
        adapter = adaptkit.train_adapter(
            lang=language, text=text, lexicon=lexicon, objective=Gloss(**self.gloss), run=run, backbone=self.model
        )
        assert adapter.training is not None
        return adapter, {name: adapter.training.settings[name] for name in ("lexicon_entries", "known_words")}

    @cached_property
    def measure(self) -> ZeroShot:
        return ZeroShot(self.model)

    def adapted_gain(self, language: str, adapter: Adapter) -> float:
        """Points that the development sentences gain under an adapter."""
        return self._gained(language, self.measure.adapted(language, adapter, "development"))

    def glossed_gain(self, language: str) -> float:
        """What the bare backbone gains where it reads glosses: a dictionary without such a gain has little to teach."""
        lexicon, random = lexicon_of(language, self.stems), Random(0)
        texts, topics = read_topics(language, "development")
        glossed = [lexicon.glossed(text, random) for text in texts]
        return self._gained(language, self.measure.head.correct(self.model, glossed, topics))

    def _gained(self, language: str, correct: NDArray[np.float64]) -> float:
        return round(100 * float((correct - self.measure.bare(language, "development")).mean()), 2)

    def mined(self, language: str, run: Run) -> tuple[Adapter | None, dict[str, Any]]:
        pairs, facts = self._mined_of(language)
        if len(pairs) < _LEAST_PAIRS:
            return None, facts
        return adaptkit.train_adapter(lang=language, parallel=pairs, run=run, backbone=self.model), facts

    def glossary(self, language: str, run: Run) -> tuple[Adapter | None, dict[str, Any]]:
        pairs, facts = self._mined_of(language)
        parallel = [Source(pairs, source_lang="en")] if len(pairs) >= _LEAST_PAIRS else []
        if language in GATITOS:
            parallel.append(Source([(theirs, ours) for ours, theirs in lexicon_of(language).entries], source_lang="en"))
        if not parallel:
            return None, facts
        adapter = adaptkit.train_adapter(
            lang=language,
            parallel=parallel,
            method="glossary",
            run=Run(seed=run.seed, progress=False),
            backbone=self.model,
        )
        return adapter, {**facts, "words": len(adapter.config.reading.glossary or ())}

    def _mined_of(self, language: str) -> tuple[MinedPairs, dict[str, Any]]:
        if language not in self._mined:
            self._mined[language] = adaptkit.mine_pairs(
                text=text_of(language)[: self.sentences],
                translations=english_beside(language)[: self.sentences],
                lang=language,
                threshold=self.threshold,
                backbone=self.model,
                progress=False,
            )
        pairs = self._mined[language]
        return pairs, {"sentences": pairs.n_sentences, "english": pairs.n_translations, "pairs": len(pairs)}


Way = Callable[[TextOnly, str, Run], tuple[Adapter | None, dict[str, Any]]]
WAYS: Mapping[str, Way] = {
    "mlm": TextOnly.mlm,
    "gloss": TextOnly.glossed,
    "mined": TextOnly.mined,
    "glossary": TextOnly.glossary,
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--languages", default="ha,sw,gn,quy")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--sentences", type=int)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--gloss", type=json.loads, default={})
    parser.add_argument("--stems", default="begin")
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    asked = {name: getattr(options, name) for name in ("steps", "sentences", "gloss", "stems", "threshold")}
    training = TextOnly(model=adaptkit.load_model(device=options.device), **asked)
    measured: dict[str, Any] = {}
    for language in options.languages.split(","):
        shared = overlap(text_of(language)[: options.sentences], read_topics(language, "test")[0])
        for way in options.ways.split(","):
            found = _measure(training, language, way, seeds)
            measured[f"{language}, {way}"] = {**found, "test_sentences_sharing_8_words_with_training": shared}
            print(language, way, found, flush=True)
    print(write_result("text_only", seeds=seeds, config=asked, measured=measured))


def _measure(training: TextOnly, language: str, way: str, seeds: list[int]) -> dict[str, Any]:
    runs, development, elapsed = [], [], []
    facts: dict[str, Any] = {}
    for seed in seeds:
        adapter, facts = training.trained(way, language, seed)
        if adapter is None:
            return {**facts, "left_out": "no dictionary" if way == "gloss" else f"fewer than {_LEAST_PAIRS} pairs"}
        runs.append(training.measure.adapted(language, adapter))
        development.append(training.adapted_gain(language, adapter))
        assert adapter.training is not None
        elapsed.append(adapter.training.elapsed_s)
    glossed = {"glossed_development_gain": training.glossed_gain(language)} if way == "gloss" else {}
    return {
        **training.measure.report(language, runs),
        "development_gain": round(fmean(development), 2),
        "elapsed_s": elapsed,
        **facts,
        **glossed,
    }


def text_of(language: str) -> list[str]:
    """Sentences in a language, each once, without their translations."""
    if language in _NEWS:
        return _once(open_corpus(news(language)).lines())
    return _once(text for _, text in pairs_from(_source_of(language), language))


def _source_of(language: str) -> str:
    """Where its text is from, of `pairs_from`."""
    if language in AMERICAS:
        return "web"
    return "seed" if language in SEED else "ntrex"


def english_beside(language: str) -> list[str]:
    """English news and Wikipedia, each sentence once: no translation of `text_of` is among it."""
    own = None if language in _NEWS else _source_of(language)
    # Where the text is of a collection, so may be its English.
    collections = {"ntrex": _ENGLISH_OF_NTREX, "seed": _ENGLISH_OF_SEED}
    ntrex, seed = ([] if name == own else _english(name, other) for name, other in collections.items())
    papers = [other for other, (tag, _) in LAFAND.items() if tag == "en" and other != language]
    return _once([*ntrex, *(source for other in papers for source in _english("news", other)), *seed])


def _english(source: str, language: str) -> list[str]:
    return [english for english, _ in pairs_from(source, language)]


def _once(sentences: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(sentences))
