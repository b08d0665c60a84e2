"""The benchmark of families, tried with a tiny backbone and few sentences."""

import json
from pathlib import Path

import pytest

from benchmarks import sib200, vector_test, write_results
from benchmarks.cases import families
from benchmarks.trials import scores, texts
from tests.tiny import tiny_model

pytestmark = pytest.mark.real_data


def test_what_starts_from_a_family_is_beside_what_is_trained_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    monkeypatch.setattr(write_results, "RESULTS", tmp_path)
    monkeypatch.setenv("ADAPTKIT_DATA", str(data_folder))
    monkeypatch.setattr("adaptkit.load_model", lambda **_: tiny_model(), raising=False)
    pairs, flores, topics = texts.pairs_from, scores.flores_sentences, sib200.read_topics
    monkeypatch.setattr(texts, "pairs_from", lambda source, language: pairs(source, language)[:60])
    monkeypatch.setattr(vector_test, "flores_sentences", lambda language: flores(language)[:30])
    for module in (sib200, vector_test):
        monkeypatch.setattr(module, "read_topics", lambda *asked: tuple(each[:40] for each in topics(*asked)))
    families.main(["--tests", "sw", "--family", "sw,xh,sn", "--steps", "6"])
    (path,) = tmp_path.iterdir()
    measured = json.loads(path.read_text(encoding="utf-8"))["measured"]["sw"]
    assert set(measured) == {"others", "started", "own", "own, all steps", "started, over own"}
    for (gains,) in measured.values():
        assert set(gains) == {"topics, development", "topics, test", "retrieval"}
    (started,), (own,), (over,) = (measured[name] for name in ("started", "own", "started, over own"))
    for score, gain in over.items():
        assert gain["gain"] == pytest.approx(started[score]["gain"] - own[score]["gain"], abs=0.02)
