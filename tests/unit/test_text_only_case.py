"""The benchmarks of text without translations, in tiny form."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import sib200, write_results
from benchmarks.cases import mining, text_only
from benchmarks.sib200 import read_topics
from benchmarks.trials.texts import GATITOS, pairs_from
from tests.tiny import tiny_model

pytestmark = pytest.mark.real_data


@pytest.fixture(autouse=True)
def _in_a_folder(data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_results, "RESULTS", tmp_path)
    monkeypatch.setenv("ADAPTKIT_DATA", str(data_folder))
    monkeypatch.setattr("adaptkit.load_model", lambda **_: tiny_model(), raising=False)


@pytest.mark.parametrize("language", ["ha", "sw", "gn", "quy", "bm", "dz", "yo"])
def test_english_is_no_translation_of_the_text(language: str) -> None:
    text, english = text_only.text_of(language), text_only.english_beside(language)
    assert len(set(text)) == len(text) > 1900
    assert len(set(english)) == len(english) > 5000
    assert (language in GATITOS) == (language not in ("ha", "sw", "yo"))


def test_pairs_at_hand_are_read_from_files_of_every_form() -> None:
    found = {source: len(pairs_from(source, "ha")) for source in ("news", "ntrex", "tico")}
    assert found == {"news": 8665, "ntrex": 1997, "tico": 3071}
    assert len(pairs_from("lexicon", "bm")) == 4000
    assert all(min(map(len, pair)) > 0 for pair in pairs_from("web", "quy"))


def test_every_way_is_trained_and_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sib200, text_only):
        monkeypatch.setattr(module, "read_topics", _first_topics)
    short = ("--seeds", "0", "--steps", "2", "--sentences", "80", "--threshold", "0.5")
    measured: dict[str, Any] = {}
    for language, ways in (("sw", "gloss,mined,glossary"), ("quy", "mlm,gloss")):
        # Names of results are of a second, in which both may be done.
        (tmp_path / language).mkdir()
        monkeypatch.setattr(write_results, "RESULTS", tmp_path / language)
        text_only.main(["--languages", language, "--ways", ways, *short])
        (path,) = (tmp_path / language).iterdir()
        measured |= json.loads(path.read_text())["measured"]
    assert measured["sw, gloss"]["left_out"] == "no dictionary"
    assert measured["sw, mined"]["pairs"] > 20
    assert 0.2 < measured["quy, gloss"]["known_words"] < 0.9
    assert -100 < measured["quy, gloss"]["glossed_development_gain"] < 100
    assert measured["sw, glossary"]["words"] > 20
    for name in ("sw, mined", "sw, glossary", "quy, mlm", "quy, gloss"):
        assert len(measured[name]["with"]) == 1, name
        assert -100 < measured[name]["development_gain"] < 100


def test_precision_and_recall_are_of_what_was_hidden(tmp_path: Path) -> None:
    mining.main(["--languages", "sw", "--sentences", "30", "--others", "20"])
    (path,) = tmp_path.iterdir()
    found = json.loads(path.read_text())["measured"]["sw"]
    assert (found["right"], found["sentences"]) == (30, 50)
    assert found["1.00"]["recall"] >= found["1.06"]["recall"]
    assert found["1.00"]["pairs"] >= found["1.06"]["pairs"]


def _first_topics(language: str, split: str) -> tuple[list[str], list[str]]:
    texts, topics = read_topics(language, split)
    return texts[:40], topics[:40]


@pytest.mark.parametrize("split", ["test", "development"])
def test_topics_of_development_are_of_train_and_dev(split: str) -> None:
    texts, topics = read_topics("quy", split)
    assert len(texts) == len(topics) == {"test": 204, "development": 800}[split]
