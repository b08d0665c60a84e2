"""Parallel text at hand for a language, by source. Nothing of SIB-200 or FLORES, which are for evaluation."""

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

from adaptkit import Lexicon, Source
from adaptkit.data.cldr import names_of
from adaptkit.data.lexicon import Stems
from adaptkit.data.lexicon_source import open_lexicon
from adaptkit.data.parallel import FilePair, PathOrName, open_parallel
from adaptkit.data.tasks import TaskData
from adaptkit.errors import SourceNotFound
from adaptkit.labelled import texts_of
from benchmarks.sib200 import AMERICAS, LAFAND, lafand_pairs, parallel_pairs, word_runs
from benchmarks.write_results import data_folder

Pairs = list[tuple[str, str]]
NTREX = {
    "am": "amh",
    "ar": "arb",
    "bem": "bem",
    "bg": "bul",
    "de": "deu",
    "el": "ell",
    "es": "spa",
    "fr": "fra",
    "ha": "hau",
    "hi": "hin",
    "ig": "ibo",
    "ny": "nya",
    "ru": "rus",
    "rw": "kin",
    "sn": "sna-Latn",
    "sw": "swa",
    "th": "tha",
    "tn": "tsn",
    "tr": "tur",
    "ur": "urd",
    "vi": "vie",
    "xh": "xho",
    "yo": "yor",
    "zh": "zho-CN",
}
SEED = {"bm": "bam_Latn", "gn": "grn_Latn", "dz": "dzo_Tibt"}
TICO = ("ha", "rw", "sw")
GATITOS = {"bm": "bm", "gn": "gn", "quy": "qu", "dz": "dz", "tn": "tn"}
CLDR = {"quy": "qu"}
"""Tags of CLDR that are not those of the test."""
FREE: Mapping[str, Collection[str]] = {"tico": TICO, "ntrex": NTREX, "seed": SEED}
"""Languages of the sources of full sentences whose licence lets adapters be shared, the freest first."""
SOURCES = {
    "news": ("LAFAND-MT (masakhane-io/lafand-mt @ d441f8b063d6)", "CC-BY-NC-4.0"),
    "ntrex": ("NTREX-128 (MicrosoftTranslator/NTREX @ 8561f6a622db)", "CC-BY-SA-4.0"),
    "seed": ("NLLB-Seed (common-parallel-corpora/common-parallel-corpora @ dbc2cd91df89)", "CC-BY-SA-4.0"),
    "tico": ("TICO-19 (tico-19/tico-19.github.io @ d97615f9cffa)", "CC0-1.0"),
    "web": ("AmericasNLP 2021 (AmericasNLP/americasnlp2021 @ d3f519c6b382)", "not stated"),
    "lexicon": ("GATITOS (google-research/url-nlp @ ec1cfc8)", "CC-BY-4.0"),
}
"""Names and licences of the sources."""


def pairs_from(source: str, language: str) -> Pairs:
    """The sentences of one source with their translations; none where it has no such language."""
    if source == "news":
        return lafand_pairs(language) if language in LAFAND else []
    if source == "web":
        return parallel_pairs(language)[1] if language in AMERICAS else []
    text = data_folder() / "text"
    if source == "ntrex" and language in NTREX:
        files = [text / f"ntrex/newstest2019-{side}.txt.gz" for side in ("src.eng", f"ref.{NTREX[language]}")]
        return _with_english((files[0], files[1]), language)
    if source == "seed" and language in SEED:
        seed = text / "nllb-seed"
        return _with_english((seed / "eng_Latn.gz", seed / f"{SEED[language]}.gz"), language)
    if source == "tico" and language in TICO:
        return _with_english(text / f"tico19/all.en-{language}.tmx.gz", language)
    if source == "lexicon" and language in GATITOS:
        return [(translation, word) for word, translation in lexicon_of(language).entries]
    return []


def lexicon_of(language: str, stems: Stems = "begin") -> Lexicon:
    """The dictionary with English, one of `GATITOS`."""
    path = data_folder() / f"lexicon/gatitos/{GATITOS[language]}_en.tsv.gz"
    name, licence = SOURCES["lexicon"]
    return replace(open_lexicon(Source(path, name=name, licence=licence)), stems=stems)


def mix(sources: Sequence[str], language: str, most: int | None = None) -> list[Source]:
    """The sources that have the language, with at most so many pairs of each."""
    found = []
    for source in sources:
        pairs = pairs_from(source, language)
        random.Random(0).shuffle(pairs)
        if pairs:
            name, licence = SOURCES[source]
            found.append(
                Source(pairs[:most], name=name, licence=licence, source_lang=_source_language(source, language))
            )
    return found


def names_from(folders: Iterable[Path], language: str) -> list[Source]:
    """The names that folders of CLDR's have in the language, and in English."""
    tag = CLDR.get(language, language)
    found = []
    for folder in folders:
        with suppress(SourceNotFound):
            names = names_of(folder, source="en", language=tag)
            found.append(Source(names.pairs, name=str(names), licence="Unicode-3.0", source_lang="en"))
    return found


def without(pairs: Sequence[tuple[str, str]], test: TaskData) -> Pairs:
    """The pairs whose sentence shares no eight words in a row with the test."""
    seen = {run for example in test.examples for text in texts_of(example) for run in word_runs(text)}
    return [pair for pair in pairs if seen.isdisjoint(word_runs(pair[1]))]


def mix_without(sources: Sequence[str], language: str, test: TaskData) -> list[Source]:
    """The sources that have the language, as `mix` gives them, without what the test holds."""
    return [replace(source, text=without(cast("Pairs", source.text), test)) for source in mix(sources, language)]


def _source_language(source: str, language: str) -> str:
    if source == "news":
        return LAFAND[language][0]
    return "es" if source == "web" else "en"


def _with_english(files: PathOrName | FilePair, language: str) -> Pairs:
    return list(open_parallel(files, target=language, source_language="en").pairs())
