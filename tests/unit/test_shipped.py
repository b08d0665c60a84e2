"""The README and its figure show what the cards of the zoo say."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from statistics import fmean, mean
from typing import Any

import pytest

from adaptkit import load_adapter
from adaptkit.format.card import Card
from tests.adapters import random_adapter
from tests.facts import FACTS
from tests.glossaries import GLOSSARY
from tests.tiny import tiny_model
from tests.zoos import LORA, SCORE
from tools.shipped import FIGURE, README, ZOO, every_test, figure, pages, shipped, table

STALE = "write it again: python -m tools.shipped"


def test_the_tables_and_the_figure_are_what_the_cards_say() -> None:
    for page, content in pages().items():
        assert page.read_text(encoding="utf-8") == content, STALE
    assert FIGURE.read_text(encoding="utf-8") == figure(), STALE


def test_every_adapter_with_a_score_has_a_row_and_every_language_its_bars() -> None:
    rows = table().splitlines()[2:]
    assert len(rows) == len(shipped()) >= 10
    bars = ET.fromstring(figure()).findall("{*}rect")  # noqa: S314 - our own
    n_languages = sum(it.id.startswith("language/") for it in shipped())
    assert len(bars) == 3 + 2 * n_languages


def test_each_language_adapter_has_every_test_that_is_at_hand_for_its_language() -> None:
    cells = {row.split(" | ")[0]: row.split(" | ")[2:] for row in every_test().splitlines()[2:]}
    has = {name: [bool(cell.strip(" |")) for cell in row] for name, row in cells.items()}
    weak = {"bm", "ha", "ig", "rw", "sw", "yo"}
    names = weak | {"ha-glossary", "sw-glossary"}
    topics = names | {"am", "dz", "gn"}
    assert has == {
        f"| `{id_}`": [*(id_.removeprefix("language/") in those for those in (topics, names, weak)), True]
        for id_ in (it.id for it in shipped())
        if id_.startswith("language/")
    }


def test_a_glossary_is_told_from_the_adapter_of_its_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model()
    for config, name in ((GLOSSARY, "sw-glossary"), (LORA, "sw")):
        card = Card(evaluations=(SCORE,), training=replace(FACTS, steps=0 if config is GLOSSARY else 7), n_lines=9)
        made = replace(random_adapter(model, config, name=name), language="sw", card=card)
        made.save(tmp_path / name)
    monkeypatch.setattr("tools.shipped.ZOO", tmp_path)
    assert {it.id: (it.name, it.learned) for it in shipped()} == {
        "language/sw-glossary": ("Swahili, glossary", "9 lines"),
        "language/sw": ("Swahili", "9 lines, 7 steps"),
    }


def test_gains_of_one_test_stand_together_topics_first_each_from_the_largest() -> None:
    languages = [it for it in shipped() if it.id.startswith("language/")]
    of_topics = ["SIB-200" in it.score.task for it in languages]
    assert of_topics == sorted(of_topics, reverse=True)
    assert 1 < sum(of_topics) < len(of_topics)
    for group in (True, False):
        gains = [
            it.score.score_with - it.score.score_without
            for it, topics in zip(languages, of_topics, strict=True)
            if topics is group
        ]
        assert gains == sorted(gains, reverse=True)


def test_the_first_sentence_of_the_readme_is_what_the_cards_say() -> None:
    first = README.read_text(encoding="utf-8").split("\n\n")[1]
    scores = {it.id: it.score for it in shipped()}
    for name in ("language/ha-glossary", "language/dz"):
        for value in (scores[name].score_without, scores[name].score_with):
            assert str(round(value)) in first


def test_the_time_and_text_of_the_readme_s_example_are_those_on_its_card() -> None:
    card = load_adapter(ZOO / "multilingual-e5-small" / "language" / "ha").card
    assert card.training is not None
    page = " ".join(README.read_text(encoding="utf-8").split())
    assert f"{card.n_lines:,} translated sentences in {round(card.training.elapsed_s / 60)} minutes" in page
    assert f"with {card.training.peak_memory_bytes / 2**30:.1f} GiB of memory" in page


def test_the_gains_over_nine_languages_are_those_of_their_result_file() -> None:
    page = README.read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| topics (SIB-200, 204 test sentences), trained"))
    file = re.findall(r"\(benchmarks/(results/[^)]+)\)", row)[0]
    trials = json.loads((README.parent / "benchmarks" / file).read_text(encoding="utf-8"))["measured"]["trials"]
    found = {it["language"]: it for it in trials if it.get("group") == "at hand" and it["seed"] == 0}
    gains = {language: it["topics, test"]["gain"] for language, it in found.items()}
    assert len(gains) == 9
    assert min(gains.values()) > 0
    assert f"{mean(gains.values()):+.1f} points on average" in row
    unsure = {language for language, it in found.items() if it["topics, test"]["interval_95"][0] <= 0}
    assert unsure == {"am", "bm", "gn", "quy"}
    assert "four of the nine 95 % intervals include zero (Amharic, Bambara, Guarani, Quechua)" in row
    for language in re.findall(r"(Hausa|Swahili|Amharic|Quechua) \+", row):
        tag = {"Hausa": "ha", "Swahili": "sw", "Amharic": "am", "Quechua": "quy"}[language]
        assert f"{language} {gains[tag]:+.1f}" in row
    pairs = [it["pairs"] for it in found.values()]
    assert f"{min(pairs):,} to {max(pairs):,} pairs" in row


def measured_of(begins: str) -> tuple[str, dict[str, Any]]:
    """A row of the README, and what is measured in all result files that it names."""
    page = README.read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith(begins))
    measured: dict[str, Any] = {}
    for file in re.findall(r"\(benchmarks/(results/[^)]+)\)", row):
        measured |= json.loads((README.parent / "benchmarks" / file).read_text(encoding="utf-8"))["measured"]
    return row, measured


def test_the_gains_with_all_there_is_are_those_of_their_result_files() -> None:
    row, measured = measured_of("| topics with all there is")
    del measured["average"]
    assert len(measured) == 9

    def average(way: str) -> str:
        return f"{fmean(each[way]['topics, test']['gain'] for each in measured.values()):+.1f}"

    assert f"{average('each stack, words')} points on average" in row
    assert f"In one pass instead of three {average('all, words')}" in row
    assert f"a glossary and translated words alone {average('glossary, words')}" in row
    found = {language: each["each stack, words"]["topics, test"] for language, each in measured.items()}
    assert min(each["gain"] for each in found.values()) > 0
    sure = sum(each["interval_95"][0] > 0 for each in found.values())
    assert f"none lost, and {sure} of the nine 95 % intervals lie above zero" in row
    for name, tag in {"Hausa": "ha", "Swahili": "sw", "Amharic": "am"}.items():
        assert f"{name} {found[tag]['gain']:+.1f}" in row


def test_the_gains_without_sentences_are_those_of_the_result_files() -> None:
    row, measured = measured_of("| topics without any sentence")
    del measured["average"]
    found = {tag: each["each stack, words"]["topics, test"] for tag, each in measured.items()}
    assert len(found) == 9
    assert f"{fmean(each['gain'] for each in found.values()):+.1f} points on average" in row
    for name, tag in {"Bambara": "bm", "Hausa": "ha", "Swahili": "sw", "Amharic": "am"}.items():
        assert f"{name} {found[tag]['gain']:+.1f}" in row
    assert min(each["gain"] for each in found.values()) >= 0
    assert f"none lost, and {sum(each['interval_95'][0] > 0 for each in found.values())} of the nine" in row


def test_the_gains_of_names_are_those_of_their_result_files() -> None:
    row, _ = measured_of("| named entities (MasakhaNER 2, whole tests)")
    gains: dict[str, dict[int, dict[str, float]]] = {}
    results = README.parent / "benchmarks/results"
    for file in results.glob("20261128-*-projected_names.json"):
        found = json.loads(file.read_text(encoding="utf-8"))
        if (found["config"]["steps"], found["config"].get("ways")) == ("300", "both") and found["config"][
            "zoo"
        ] == "True":
            for language, each in found["measured"].items():
                (seed,) = found["seeds"]
                gains.setdefault(language, {})[seed] = each["against"]["both"]["english"]
    assert len(gains) == 6
    assert all(set(seeds) == {0, 1, 2} for seeds in gains.values())
    means = {language: fmean(each["mean"] for each in seeds.values()) for language, seeds in gains.items()}
    every = [each for seeds in gains.values() for each in seeds.values()]
    assert f"{fmean(means.values()):+.1f} F1 on average" in row
    for name, tag in {"Bambara": "bm", "Swahili": "sw", "Kinyarwanda": "rw"}.items():
        assert f"{name} {means[tag]:+.1f}" in row
    assert min(each["mean"] for each in every) > 0
    assert f"{sum(each['low'] > 0 for each in every)} of the 18 95 % intervals lie above zero" in row
    again: dict[str, Any] = {}
    for file in results.glob("20261129-*-projected_names.json"):
        again |= json.loads(file.read_text(encoding="utf-8"))["measured"]
    named = {"Yoruba": "yo", "Bambara": "bm", "Hausa": "ha"}
    told = (f"{name} {again[tag]['against']['both']['english']['mean']:+.1f}" for name, tag in named.items())
    assert f"over such heads, one seed: {', '.join(told)} |" in row


def test_the_gains_of_parts_of_speech_are_those_of_their_result_files() -> None:
    row, measured = measured_of("| parts of speech (MasakhaPOS")
    gains = {tag: each["gains"]["projected"] for tag, each in measured.items() if "gains" in each}
    assert len(gains) == 6
    assert f"{fmean(gain['mean'] for gain in gains.values()):+.1f} points of accuracy on average" in row
    for name, tag in {"Yoruba": "yo", "Igbo": "ig", "Swahili": "sw"}.items():
        assert f"{name} {gains[tag]['mean']:+.1f}" in row
    assert f"all {sum(gain['low'] > 0 for gain in gains.values())} of the 95 % intervals lie above zero" in row


def test_the_gains_without_a_prefix_are_those_of_their_result_files() -> None:
    row, measured = measured_of("| topics (SIB-200, 204 test sentences) without anything of the language")
    heads = {tag: each for tag, each in measured.items() if tag != "english"}
    gains = {tag: each["gains"]["english behind ''"] for tag, each in heads.items()}
    assert len(gains) == 9
    assert f"{fmean(gain['mean'] for gain in gains.values()):+.1f} points on average" in row
    behind, without = (fmean(fmean(each[name]) for each in heads.values()) for name in ("english", "english behind ''"))
    assert f"({behind:.1f} → {without:.1f})" in row
    for name, tag in {"Yoruba": "yo", "Bambara": "bm", "Kinyarwanda": "rw"}.items():
        assert f"{name} {gains[tag]['mean']:+.1f}" in row
    assert min(gain["mean"] for gain in gains.values()) > 0
    assert f"{sum(gain['low'] > 0 for gain in gains.values())} of the nine 95 % intervals lie above zero" in row


def test_the_gains_of_inference_are_those_of_their_result_files() -> None:
    row, measured = measured_of("| inference (XNLI")
    languages = re.findall(r"languages \(([a-z ]+)\)", row)[0].split()
    gains = [measured[language]["gains"]["english, target"] for language in languages]
    assert len(gains) == 10
    assert f"{mean(gain['mean'] for gain in gains):+.1f} points on average" in row
    assert min(gain["high"] for gain in gains) > 0
    assert f"{sum(gain['low'] > 0 for gain in gains)} of the ten lie above it" in row
    for name, tag in {"Thai": "th", "Urdu": "ur", "Arabic": "ar", "French": "fr", "Russian": "ru"}.items():
        assert f"{name} {measured[tag]['gains']['english, target']['mean']:+.1f}" in row


def test_the_gains_at_half_strength_are_those_of_the_result_files() -> None:
    row, measured = measured_of("| topics, translations, names and parts of speech")
    assert sorted(measured) == ["bm", "ha", "ig", "rw", "sw", "yo"]
    tests = ("topics", "retrieval", "names", "pos")

    def gains(strength: str) -> list[float]:
        return [mean(found[test][strength]["gain"] for found in measured.values()) for test in tests]

    def hurt(strength: str) -> int:
        return sum(found[test][strength]["interval_95"][1] < 0 for found in measured.values() for test in tests)

    for strength in ("0.5", "1.0"):
        first, second, third, last = gains(strength)
        assert f"{first:+.1f}, {second:+.1f}, {third:+.1f} and {last:+.1f}" in row
    assert (hurt("0.5"), hurt("1.0")) == (0, 2)
    assert "none of the 24 surely hurt" in row
    assert "two surely hurt" in row


def test_the_gain_of_few_labels_is_that_of_its_result_files() -> None:
    row, _ = measured_of("| reviews of books, good or bad")
    now, before = (
        json.loads((README.parent / "benchmarks" / file).read_text(encoding="utf-8"))["measured"]["books"]["50"][
            "plain"
        ]
        for file in re.findall(r"\(benchmarks/(results/[^)]+)\)", row)
    )
    assert f"{now['mean']:.1f} % right on average of three seeds, none below {min(now['accuracies']):.1f};" in row
    assert len(now["accuracies"]) == len(before["accuracies"]) == 3
    assert f"random weights {before['mean']:.1f} %" in row


def test_the_figure_is_read_on_a_phone() -> None:
    """A phone of 390 pixels leaves 358 to it; nothing is cut there, and no text is below 9 pixels."""
    drawn = ET.fromstring(figure())  # noqa: S314 - our own
    width = float(drawn.attrib["viewBox"].split()[2])
    assert 12 * 358 / width >= 9
    ends = [float(it.attrib.get("x", 0)) + float(it.attrib["width"]) for it in drawn.findall("{*}rect")]
    assert max(ends) <= width


def test_what_feature_distillation_brings_to_other_domains_is_as_measured() -> None:
    row, measured = measured_of("| reviews in five other domains")
    found = measured["feature distillation 0.1"]
    average = found["average"]
    assert f"{average['gain']:+.1f} points on average" in row
    assert f"({measured['plain']['average']['mean']:.1f} → {average['mean']:.1f})" in row
    assert f"health {found['health_personal_care']['gain']:+.1f}, films {found['MR']['gain']:+.1f}" in row
    plain = measured["plain"]["average"]["accuracies"]
    lost = [ours - theirs for ours, theirs in zip(average["accuracies"], plain, strict=True) if ours < theirs]
    assert [round(each, 1) for each in lost] == [-0.5]
