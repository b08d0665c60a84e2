"""Write the golden adapter of format version 10, which knows held-out scores: `python -m tests.golden.make_scores`."""

import json
from dataclasses import replace
from pathlib import Path

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import HeldoutScore
from adaptkit.methods import LoraConfig
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig
from tests.golden.make import CARD, facts, make
from tests.tiny import tiny_model

SCORES = (
    HeldoutScore(metric="accuracy", score=62.5, n_examples=16),
    HeldoutScore(metric="macro F1", score=60.25, n_examples=16),
)
CONFIG = AdapterConfig(
    method=LoraConfig(rank=2, alpha=4.0, sites=("attention.query",)),
    head=HeadConfig(task_type="classification", labels=("goats", "rain")),
)


def facts_of_scores(adapter: Adapter) -> dict[str, object]:
    """What a reader must find of held-out scores."""
    training = adapter.card.training
    if training is None or not training.heldout_scores:
        return {}
    return {"heldout_scores": [list(vars(score).values()) for score in training.heldout_scores]}


def main() -> None:
    folder = Path(__file__).parent / "v10"
    assert CARD.training is not None
    card = replace(CARD, sources=(), shared=(), training=replace(CARD.training, heldout_scores=SCORES))
    adapter = replace(make("topics", CONFIG, tiny_model()), card=card)
    adapter.save(folder / "topics", overwrite=True)
    expected = {"topics": {**facts(adapter), **facts_of_scores(adapter)}}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
