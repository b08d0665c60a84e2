"""The adapters that come with the repository: what the index says, complete cards, and outputs on the backbone."""

import random
import shutil
from pathlib import Path

import pytest

from adaptkit.errors import AdapterFileError
from adaptkit.format.card import card_gaps
from adaptkit.model import AdaptedModel
from adaptkit.storage import Zoo
from adaptkit.storage.zoo import LoadableListing
from adaptkit.verification import verify

FOLDER = Path(__file__).parents[2] / "adapters_zoo"
LISTINGS = list(Zoo(FOLDER))
LARGEST_BYTES = 4 * 2**20


def test_the_index_is_what_is_there() -> None:
    index = Zoo(FOLDER).check()
    assert (FOLDER / "index.json").read_bytes() == Zoo(FOLDER).index().render()
    assert {"language/sw", "language/ha", "language/quw", "language/wal-Latn", "language/cni", "task/topics"} <= {
        entry.id for entry in index.adapters
    }


def test_a_flipped_byte_is_found(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "zoo")
    files = sorted(path for path in (tmp_path / "zoo").rglob("*/*/*/*") if path.is_file())
    chosen = random.Random(0)
    for path in chosen.sample(files, 12):
        content = path.read_bytes()
        place = chosen.randrange(len(content))
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(AdapterFileError):
            Zoo(tmp_path / "zoo").check()
        path.write_bytes(content)


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.place)
def test_its_card_says_all(listing: LoadableListing) -> None:
    assert card_gaps(listing.card) == []
    assert listing.card.n_tokens > 0
    assert len(listing.card.text_sha256) == 64
    assert listing.size_bytes < LARGEST_BYTES
    assert listing.place.endswith(listing.id)
    card = listing.files.read("README.md", max_bytes=2**20).decode()
    assert card == listing.load().render_card()
    for part in ("base_model:", "license:", "- Hardware:", "## Scores", "## Limits", "## Citation"):
        assert part in card


@pytest.mark.embedded
def test_outputs_are_those_recorded(embedded_model: AdaptedModel) -> None:
    for listing in LISTINGS:
        *_, outputs = verify(listing.load(), backbone=embedded_model)
        assert outputs.startswith("outputs:")


@pytest.mark.embedded
def test_the_readme_shows_what_its_example_prints(embedded_model: AdaptedModel) -> None:
    readme = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    texts = ["An ci kwallaye uku a wasan jiya.", "Tulilala hotelini karibu na stesheni."]
    ids = ["language/ha", "language/sw", "task/topics"]
    embedded_model.attach(*(entry.load() for entry in LISTINGS if entry.id in ids))
    try:
        bare = embedded_model.predict(texts, stack="task/topics")
        below = embedded_model.predict(texts, stacks=["ha > topics", "sw > topics"])
    finally:
        embedded_model.detach(*ids)
    shown = "\n".join(str([found.label for found in answers]) for answers in (bare, below))
    assert f"```text\n{shown}\n```" in readme
    assert all(text in readme for text in texts)
