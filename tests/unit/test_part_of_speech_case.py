"""The benchmark of parts of speech, whole, on a tiny backbone and sentences written for it."""

import gzip
import json
from pathlib import Path

import pytest

import adaptkit
from adaptkit import Run, Source
from benchmarks import write_results
from benchmarks.cases import part_of_speech
from benchmarks.trials import texts
from tests.tiny import tiny_model

TAGS = ["PRON", "VERB", "NOUN", "PUNCT"]
PAIRS = [("She sells maize.", "Yeye anauza mahindi."), ("She buys goats.", "Yeye ananunua mbuzi.")]


def test_each_way_is_beside_english_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "masakhapos/swa").mkdir(parents=True)
    # Whatever a word is taken for, one of its tags is right.
    tagged = "Yeye PRON\nanauza VERB\nmahindi NOUN\n. PUNCT\n\n" + "".join(f"Wewe {tag}\n\n" for tag in (*TAGS, "INTJ"))
    (tmp_path / "masakhapos/swa/test.txt.gz").write_bytes(gzip.compress(tagged.encode()))
    rows = [{"words": ["She", verb, "goats", "."], "upos": TAGS} for verb in ("sells", "buys") for _ in range(15)]
    (tmp_path / "en.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "results").mkdir()
    monkeypatch.setenv("ADAPTKIT_DATA", str(tmp_path))
    monkeypatch.setattr(write_results, "RESULTS", tmp_path / "results")
    monkeypatch.setattr("adaptkit.load_model", lambda **_: tiny_model(), raising=False)
    monkeypatch.setattr(texts, "mix", lambda *_: [Source(PAIRS * 5, source_lang="en")])
    adaptkit.train_adapter(
        lang="sw",
        parallel=PAIRS * 20,
        backbone=tiny_model(),
        run=Run(max_steps=2, progress=False),
        output=tmp_path / "zoo/sw",
    )
    asked = ["--english", f"{tmp_path}/en.jsonl", "--zoo", f"{tmp_path}/zoo", "--tasks", f"{tmp_path}/tasks"]
    part_of_speech.main(
        [
            *asked,
            "--projected",
            "--words",
            "sw",
            "--languages",
            "sw",
            "--seeds",
            "0,1",
            "--steps",
            "3",
            "--least-score",
            "0.05",
        ]
    )
    (path,) = (tmp_path / "results").iterdir()
    measured = json.loads(path.read_text(encoding="utf-8"))["measured"]
    assert (measured["english"]["sentences"], measured["english"]["words"]) == (30, 120)
    # The test holds all of one sentence, so that words are learned from the other alone.
    assert measured["words"] == {
        "sw": "30 examples in sw: 75 of 90 words translated (83%), by 3 words of 5 pairs of the parallel text"
    }
    found = measured["sw"]
    assert min(found["words"]) > 0
    assert measured["projected"].startswith("1 sentence in sw, ")
    others = {"english, target", "words", "words, target", "projected", "projected, target"}
    assert found["gains"].keys() == others
    for name, gain in found["gains"].items():
        assert len(found[name]) == 2
        assert gain["mean"] == pytest.approx((sum(found[name]) - sum(found["english"])) / 2, abs=0.02)
    kept = {f"{name}-{seed}" for name in ("english", "words", "projected-en-sw") for seed in (0, 1)}
    assert kept <= {each.name for each in (tmp_path / "tasks").iterdir()}
