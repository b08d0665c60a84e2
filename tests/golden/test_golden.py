"""Adapters written by every version of the format, read by today's reader."""

import json
from pathlib import Path

import pytest

from adaptkit.storage import load_adapter
from tests.golden.make import facts
from tests.golden.make_pieces import facts_of_pieces
from tests.golden.make_prefix import facts_of_prefix
from tests.golden.make_projection import facts_of_projection
from tests.golden.make_scores import facts_of_scores
from tests.tiny import unigram_model

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("v*/*/adaptkit.json"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_a_golden_adapter_gives_the_recorded_numbers(folder: Path) -> None:
    expected = json.loads((folder.parent / "expected.json").read_text())
    adapter = load_adapter(folder)
    of_versions = (facts, facts_of_pieces, facts_of_projection, facts_of_scores, facts_of_prefix)
    found = {name: fact for facts_of in of_versions for name, fact in facts_of(adapter).items()}
    assert found == expected[folder.name]


def test_no_golden_adapter_is_left_out() -> None:
    assert [f"{folder.parent.name}/{folder.name}" for folder in FOLDERS] == [
        "v1/bottleneck",
        "v1/lora",
        "v10/topics",
        "v12/topics",
        "v2/answers",
        "v2/fused",
        "v2/head",
        "v2/topics",
        "v3/decoder",
        "v3/decoder-topics",
        "v4/lora",
        "v4/madx",
        "v4/topics",
        "v5/answers",
        "v5/topics",
        "v6/family",
        "v7/mix",
        "v8/pieces",
        "v8/pieces-below-an-invertible",
        "v9/encoder-decoder",
        "v9/projection",
        "v9/shared-blocks",
    ]


def test_pieces_are_attached_and_read() -> None:
    """The tokenizer and backbone that they were written for can be made again."""
    model = unigram_model()
    model.attach(load_adapter(Path(__file__).parent / "v8" / "pieces"))
    ((found, bare),) = zip(model.encode(["ⵎⴰⵏⵓ ⴰⵣ"], stack="language/pieces"), model.encode(["ⵎⴰⵏⵓ ⴰⵣ"]), strict=True)
    assert not found.allclose(bare)
