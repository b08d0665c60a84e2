"""A server that loads, unloads and answers for long holds no more than when it began."""

import gc
from pathlib import Path

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.serving.answering import Answering
from adaptkit.serving.jobs import EMBEDDINGS, Ask, Describe, Described, Follow, Load
from adaptkit.serving.shelf import Shelf
from tests.adapters import random_adapter
from tests.tiny import tiny_model

NAMES = ("domain/news", "domain/farm", "domain/law")


def test_objects_are_as_many_after_many_loads_and_requests(tmp_path: Path) -> None:
    model = tiny_model()
    for seed, name in enumerate(NAMES):
        config = AdapterConfig(method=LoraConfig(rank=2))
        random_adapter(model, config, kind="domain", name=name[7:], seed=seed).save(tmp_path / name)
    shelf, answering = Shelf(tmp_path), Answering(model, tmp_path, cache_bytes=2**20, batch_size=8)
    (described,) = answering.replies([Describe(shelf.roster)])
    assert isinstance(described, Described)
    shelf.tell(described)

    def objects_after(n_changes: int) -> int:
        for number in range(n_changes):
            name = NAMES[number % len(NAMES)]
            stacks = [shelf.named(each).stack for each in NAMES]
            answering.replies(
                [Ask(endpoint=EMBEDDINGS, inputs=("Maji",), stacks=(each,), roster=shelf.roster) for each in stacks]
            )
            shelf.take(name)
            answering.replies([Follow(shelf.roster)])
            listing = shelf.seen(name)
            answering.replies([Load(name, shelf.roster)])
            shelf.put(name, listing)
        gc.collect()
        return len(gc.get_objects())

    # What is made once, and kept, comes first.
    objects_after(12)
    few, many = objects_after(1), objects_after(30)
    # One object for each change would be thirty.
    assert many - few < 15
