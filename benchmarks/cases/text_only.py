"""Adapters of text without translations, scored on SIB-200 zero-shot: masked tokens, a dictionary, or mined pairs.

`python -m benchmarks.run text_only [--languages ha,sw,gn,quy] [--ways mlm,gloss,mined] [--seeds 0,1,2] [--steps 900]
[--device cuda] [--sentences 2000] [--gloss '{"copy_share": 0.3}'] [--stems both] [--threshold 1.02]`

The text is news (ha, sw), news and web (gn) or examples of a dictionary (quy); of other languages it is Wikipedia
of NLLB-Seed (bm) or NTREX. Dictionaries are those of GATITOS; where a language has none, `gloss` is left out.
Pairs are mined from English that is no translation of the text. Choices are to be made on the development sentences.
"""

import argparse
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

import adaptkit
from adaptkit import AdaptedModel, Adapter, Gloss, Lexicon, Mlm, Run
from adaptkit.data.lexicon import Stems
from adaptkit.data.lexicon_source import open_lexicon
from adaptkit.data.margin import THRESHOLD
from benchmarks.free_text import news
from benchmarks.sib200 import AMERICAS, LAFAND, ZeroShot, development_topics, lafand_pairs, overlap, read_topics
from benchmarks.trials.texts import GATITOS, NTREX, SEED
from benchmarks.write_results import data_folder, write_result

_NEWS = ("ha", "sw")


@dataclass(frozen=True, kw_only=True)
class TextOnly:
    """What is trained on; `sentences` bounds the text and the English that pairs are mined from, None is all."""

    model: AdaptedModel
    steps: int | None = None
    sentences: int | None = None
    gloss: Mapping[str, Any] = field(default_factory=dict)
    stems: Stems = "begin"
    threshold: float = THRESHOLD

    def trained(self, way: str, language: str, seed: int) -> tuple[Adapter | None, dict[str, Any]]:
        """The adapter, None where there is nothing to train it so, and what there is to say of its text."""
        return WAYS[way](self, language, Run(seed=seed, max_steps=self.steps, progress=False))

    def mlm(self, language: str, run: Run) -> tuple[Adapter | None, dict[str, Any]]:
        text = text_of(language)[: self.sentences]
        return adaptkit.train_adapter(lang=language, text=text, objective=Mlm(), run=run, backbone=self.model), {}

    def glossed(self, language: str, run: Run) -> tuple[Adapter | None, dict[str, Any]]:
        text, lexicon = text_of(language)[: self.sentences], lexicon_of(language, self.stems)
        if lexicon is None:
            return None, {}
        adapter = adaptkit.train_adapter(
            lang=language, text=text, lexicon=lexicon, objective=Gloss(**self.gloss), run=run, backbone=self.model
        )
        assert adapter.training is not None
        known = {name: adapter.training.settings[name] for name in ("lexicon_entries", "known_words")}
        return adapter, {**known, "glossed_development_gain": self.glossed_gain(language, lexicon)}

    @cached_property
    def measure(self) -> ZeroShot:
        return ZeroShot(self.model)

    def development_gain(self, language: str, texts: Sequence[str] | None = None, stack: str | None = None) -> float:
        """Points gained on the development sentences, or other texts in their places, under a stack."""
        own, topics = development_topics(language)
        correct, model = self.measure.head.correct, self.model
        gained = correct(model, texts or own, topics, stack=stack) - correct(model, own, topics)
        return round(100 * float(gained.mean()), 2)

    def adapted_gain(self, language: str, adapter: Adapter) -> float:
        """What the development sentences gain under an adapter."""
        self.model.attach(adapter)
        try:
            return self.development_gain(language, stack=adapter.id)
        finally:
            self.model.detach(adapter.id)

    def glossed_gain(self, language: str, lexicon: Lexicon) -> float:
        """What the bare backbone gains where it reads glosses: a dictionary without such a gain has little to teach."""
        random = Random(0)
        return self.development_gain(
            language, [lexicon.glossed(text, random) for text in development_topics(language)[0]]
        )

    def mined(self, language: str, run: Run) -> tuple[Adapter | None, dict[str, Any]]:
        pairs = adaptkit.mine_pairs(
            text=text_of(language)[: self.sentences],
            translations=english_beside(language)[: self.sentences],
            lang=language,
            threshold=self.threshold,
            backbone=self.model,
            progress=False,
        )
        facts = {"sentences": pairs.n_sentences, "english": pairs.n_translations, "pairs": len(pairs)}
        if len(pairs) < 20:
            return None, facts
        return adaptkit.train_adapter(lang=language, parallel=pairs, run=run, backbone=self.model), facts


Way = Callable[[TextOnly, str, Run], tuple[Adapter | None, dict[str, Any]]]
WAYS: Mapping[str, Way] = {"mlm": TextOnly.mlm, "gloss": TextOnly.glossed, "mined": TextOnly.mined}


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
            return {**facts, "left_out": "no dictionary" if way == "gloss" else "fewer than 20 pairs"}
        runs.append(training.measure.adapted(language, adapter))
        development.append(training.adapted_gain(language, adapter))
        assert adapter.training is not None
        elapsed.append(adapter.training.elapsed_s)
    return {
        **training.measure.report(language, runs),
        "development_gain": round(fmean(development), 2),
        "elapsed_s": elapsed,
        **facts,
    }


def text_of(language: str) -> list[str]:
    """Sentences in a language, each once, without their translations."""
    if language in _NEWS:
        return _lines(news(language))
    text = data_folder() / "text"
    if language in AMERICAS:
        return _lines(text / f"americasnlp2021/{AMERICAS[language]}.{language}.gz")
    if language in SEED:
        return _lines(text / f"nllb-seed/{SEED[language]}_Latn.gz")
    return _lines(text / f"ntrex/newstest2019-ref.{NTREX[language]}.txt.gz")


def english_beside(language: str) -> list[str]:
    """English news and Wikipedia, each sentence once: no translation of `text_of` is among it."""
    text = data_folder() / "text"
    sides = [
        source
        for other, (tag, _) in LAFAND.items()
        if tag == "en" and other != language
        for source, _ in lafand_pairs(other)
    ]
    # Where the text is of a collection, so may be its English.
    seed = [] if language in SEED and language not in AMERICAS else _lines(text / "nllb-seed/eng_Latn.gz")
    ntrex = _lines(text / "ntrex/newstest2019-src.eng.txt.gz") if language in (*_NEWS, *AMERICAS, *SEED) else []
    return list(dict.fromkeys([*ntrex, *sides, *seed]))


def lexicon_of(language: str, stems: Stems = "begin") -> Lexicon | None:
    """The dictionary of a language; None where there is none."""
    if language not in GATITOS:
        return None
    entries = open_lexicon(data_folder() / f"lexicon/gatitos/{GATITOS[language]}_en.tsv.gz")
    return Lexicon(entries.entries, entries.description, stems)


def _lines(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(dict.fromkeys(line.strip() for line in file if line.strip()))
