"""The benchmark of what n-grams know of a vector, in tiny form."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import sib200, write_results
from benchmarks.cases import ngram_residual
from benchmarks.cases.ngram_residual import Residual, n_grams_of
from benchmarks.sib200 import read_topics
from tests.tiny import tiny_model

WORDS = ("goat", "river", "millet", "market", "teacher")
SENTENCES = [f"{one} {other}" for one in WORDS for other in WORDS]


def test_what_depends_on_words_alone_is_found() -> None:
    drawn = np.random.default_rng(0)
    meaning = dict(zip(WORDS, drawn.standard_normal((len(WORDS), 8)).astype(np.float32), strict=True))
    vectors = drawn.standard_normal((len(SENTENCES), 8)).astype(np.float32)
    differences = np.stack([sum(meaning[word] for word in text.split()) for text in SENTENCES]).astype(np.float32)
    residual = Residual.of(n_grams_of(SENTENCES), SENTENCES, vectors, vectors + differences, 0.01)
    rest = vectors + residual.shift + residual.of_texts(SENTENCES) - (vectors + differences)
    assert float((rest**2).mean()) < 0.05 * float((differences**2).mean())
    strong = Residual.of(n_grams_of(SENTENCES), SENTENCES, vectors, vectors + differences, 1e6)
    assert float(np.abs(strong.of_texts(SENTENCES)).max()) < 1e-3


@pytest.mark.real_data
def test_it_runs_whole(data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_results, "RESULTS", tmp_path)
    monkeypatch.setenv("ADAPTKIT_DATA", str(data_folder))
    monkeypatch.setattr("adaptkit.load_model", lambda **_: tiny_model(), raising=False)
    for module in (sib200, ngram_residual):
        monkeypatch.setattr(module, "read_topics", _first_topics)
    monkeypatch.setattr(ngram_residual, "flores_sentences", lambda language: [f"{language} {n}" for n in range(20)])
    ngram_residual.main(["--languages", "quy", "--pairs", "60"])
    (path,) = tmp_path.iterdir()
    measured: dict[str, Any] = json.loads(path.read_text())["measured"]["quy"]
    assert measured["pairs"] == 60
    assert measured["n_grams"] > 20
    assert measured["bare"]["retrieval"]["gain"] == 0
    for way in ("bare, centred", "bare, with n-grams"):
        assert set(measured[way]) == {"topics, development", "topics, test", "retrieval"}


def _first_topics(language: str, split: str) -> tuple[list[str], list[str]]:
    texts, topics = read_topics(language, split)
    return texts[:60], topics[:60]
