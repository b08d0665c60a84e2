"""The benchmark of what n-grams know of a vector, in tiny form."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import sib200, vector_test, write_results
from benchmarks.cases import ngram_residual
from benchmarks.sib200 import read_topics
from tests.tiny import tiny_model


@pytest.mark.real_data
def test_it_runs_whole(data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_results, "RESULTS", tmp_path)
    monkeypatch.setenv("ADAPTKIT_DATA", str(data_folder))
    monkeypatch.setattr("adaptkit.load_model", lambda **_: tiny_model(), raising=False)
    for module in (sib200, vector_test):
        monkeypatch.setattr(module, "read_topics", _first_topics)
    monkeypatch.setattr(vector_test, "flores_sentences", lambda language: [f"{language} {n}" for n in range(20)])
    ngram_residual.main(["--languages", "quy", "--pairs", "60", "--rows", "256", "--width", "8"])
    (path,) = tmp_path.iterdir()
    measured: dict[str, Any] = json.loads(path.read_text())["measured"]["quy"]
    assert measured["pairs"] == 60
    assert measured["bare, n-grams"]["distance_after"] <= measured["bare, n-grams"]["distance_before"]
    assert set(measured["bare, with n-grams"]) == {"topics, development", "topics, test", "retrieval"}


def _first_topics(language: str, split: str) -> tuple[list[str], list[str]]:
    texts, topics = read_topics(language, split)
    return texts[:60], topics[:60]
