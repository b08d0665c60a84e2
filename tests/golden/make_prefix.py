"""Write the golden adapter of format version 12, whose head has a prefix: `python -m tests.golden.make_prefix`."""

import json
from dataclasses import replace
from pathlib import Path

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig
from tests.golden.make import CARD, facts, make
from tests.tiny import tiny_model

CONFIG = AdapterConfig(
    method=LoraConfig(rank=2, alpha=4.0, sites=("attention.query",)),
    head=HeadConfig(task_type="classification", labels=("goats", "rain"), text_prefix="topic: "),
)


def facts_of_prefix(adapter: Adapter) -> dict[str, object]:
    """What a reader must find of a head's prefix."""
    head = adapter.config.head
    return {} if head is None or head.text_prefix is None else {"text_prefix": head.text_prefix}


def main() -> None:
    folder = Path(__file__).parent / "v12"
    adapter = replace(make("topics", CONFIG, tiny_model()), card=replace(CARD, sources=(), shared=()))
    adapter.save(folder / "topics", overwrite=True)
    expected = {"topics": {**facts(adapter), **facts_of_prefix(adapter)}}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
