"""How trials score an adapter: each task with and without it, and what is measured without it once."""

from dataclasses import replace
from pathlib import Path

import pytest

import adaptkit
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from benchmarks.trials.scores import Scores
from tests.adapters import random_adapter
from tests.tiny import tiny_model


@pytest.mark.real_data
def test_what_the_bare_backbone_does_is_measured_once(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTKIT_DATA", str(data_folder))
    model = tiny_model()
    english = adaptkit.read_task("wikiann", data=data_folder, language="en", split="train")
    english = replace(english, examples=english.examples[:100])
    run = adaptkit.Run(max_steps=1, progress=False)
    adaptkit.train_adapter(task="names", data=english, backbone=model, run=run, output=tmp_path / "names")
    scores = Scores(model, tmp_path / "kept", names=[tmp_path / "names"])
    first, second = (
        random_adapter(model, AdapterConfig(method=LoraConfig(rank=2)), name="bm", seed=seed) for seed in (1, 2)
    )
    found = scores.of(first, "bm", ("topics", "retrieval", "names"))
    assert found.keys() == {"topics, development", "topics, test", "retrieval", "names"}
    assert 0 <= found["retrieval"]["without"] <= 100
    assert len(list((tmp_path / "kept").iterdir())) == 2
    assert scores.of(second, "bm", ("names",))["names"]["without"] == found["names"]["without"]
    assert len(list((tmp_path / "kept").iterdir())) == 3
    assert not model.attached
