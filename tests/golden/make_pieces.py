"""Write the golden adapters of format version 8, which bring pieces of text: `python -m tests.golden.make_pieces`."""

import json
from dataclasses import replace
from pathlib import Path

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.storage import Adapter
from tests.golden.make import CARD, facts, make
from tests.pieces import PIECES
from tests.tiny import unigram_model

VERSION_8 = {
    "pieces": AdapterConfig(method=LoraConfig(rank=2, alpha=4.0, sites=("attention.query",)), pieces=PIECES),
    "pieces-below-an-invertible": AdapterConfig(
        method=BottleneckConfig(reduction_factor=16), invertible=InvertibleConfig(reduction_factor=4), pieces=PIECES
    ),
}


def facts_of_pieces(adapter: Adapter) -> dict[str, object]:
    """What a reader must find of the pieces."""
    pieces = adapter.config.pieces
    return {} if pieces is None else {"pieces": list(pieces.pieces), "piece_scores": list(pieces.scores)}


def main() -> None:
    folder = Path(__file__).parent / "v8"
    model = unigram_model()
    expected = {}
    for name, config in VERSION_8.items():
        adapter = replace(make(name, config, model), card=replace(CARD, sources=(), shared=()))
        adapter.save(folder / name, overwrite=True)
        expected[name] = {**facts(adapter), **facts_of_pieces(adapter)}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
