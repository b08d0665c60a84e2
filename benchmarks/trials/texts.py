"""Parallel text at hand for a language, by source. Nothing of SIB-200 or FLORES, which are for evaluation."""

import gzip
import random
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from adaptkit import Source
from benchmarks.sib200 import AMERICAS, LAFAND, lafand_pairs, parallel_pairs
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
SEED = {"bm": "bam", "gn": "grn", "dz": "dzo"}
TICO = ("ha", "rw", "sw")
GATITOS = {"bm": "bm", "gn": "gn", "quy": "qu", "dz": "dz", "tn": "tn"}
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
        return _lines(
            text / "ntrex/newstest2019-src.eng.txt.gz", text / f"ntrex/newstest2019-ref.{NTREX[language]}.txt.gz"
        )
    if source == "seed" and language in SEED:
        script = "Tibt" if language == "dz" else "Latn"
        return _lines(text / "nllb-seed/eng_Latn.gz", text / f"nllb-seed/{SEED[language]}_{script}.gz")
    if source == "tico" and language in TICO:
        return _tmx(text / f"tico19/all.en-{language}.tmx.gz", language)
    if source == "lexicon" and language in GATITOS:
        return _entries(lexicon_of(language))
    return []


def lexicon_of(language: str) -> Path:
    """The dictionary with English."""
    return data_folder() / f"lexicon/gatitos/{GATITOS[language]}_en.tsv.gz"


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


def _source_language(source: str, language: str) -> str:
    if source == "news":
        return LAFAND[language][0]
    return "es" if source == "web" else "en"


def _read(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [line.strip() for line in file]


def _lines(source: Path, target: Path) -> Pairs:
    return [(a, b) for a, b in zip(_read(source), _read(target), strict=True) if a and b]


def _entries(path: Path) -> Pairs:
    cells = [line.split("\t") for line in _read(path) if line]
    return [(row[1].strip(), row[0].strip()) for row in cells if len(row) > 1 and row[0].strip() and row[1].strip()]


def _tmx(path: Path, language: str) -> Pairs:
    with gzip.open(path) as file:
        units = ET.parse(file).getroot().iter("tu")  # noqa: S314 - a file of ours
        found = [
            {
                variant.get("{http://www.w3.org/XML/1998/namespace}lang"): variant.findtext("seg", "")
                for variant in unit.iter("tuv")
            }
            for unit in units
        ]
    return [(unit["en"].strip(), unit[language].strip()) for unit in found if unit.get("en") and unit.get(language)]
