"""Write the golden adapters of format version 9: `python -m tests.golden.make_projection`.

It knows kept projections, backbones whose layers share blocks, and encoder-decoders.
"""

import json
from dataclasses import replace
from pathlib import Path

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.objectives.projection import ProjectionConfig
from adaptkit.storage import Adapter
from tests.golden.make import CARD, facts, make
from tests.tiny import tiny_model

LORA = LoraConfig(rank=2, alpha=4.0, sites=("attention.query",))
VERSION_9 = {
    "projection": ("bert", AdapterConfig(method=LORA, projection=ProjectionConfig(tokens=(5, 7, 11, 399)))),
    "shared-blocks": ("albert", AdapterConfig(method=LORA)),
    "encoder-decoder": ("t5", AdapterConfig(method=LORA)),
}


def facts_of_projection(adapter: Adapter) -> dict[str, object]:
    """What a reader must find of a kept projection."""
    projection = adapter.config.projection
    return {} if projection is None else {"tokens": list(projection.tokens or ())}


def main() -> None:
    folder = Path(__file__).parent / "v9"
    expected = {}
    for name, (model_type, config) in VERSION_9.items():
        adapter = replace(make(name, config, tiny_model(model_type)), card=replace(CARD, sources=(), shared=()))
        adapter.save(folder / name, overwrite=True)
        expected[name] = {**facts(adapter), **facts_of_projection(adapter)}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
