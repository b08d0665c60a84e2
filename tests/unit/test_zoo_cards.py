"""The cards of the zoo are written anew without a change to what was measured."""

import shutil
from pathlib import Path

import pytest

from adaptkit.errors import ConfigError
from adaptkit.format.spec import SIGNATURE_FILE
from adaptkit.storage import Zoo
from tools.zoo_cards import ZOO, rewrite


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_only_the_card_and_the_index_change(tmp_path: Path) -> None:
    shutil.copytree(ZOO, tmp_path / "zoo")
    before = content(tmp_path / "zoo")
    card = tmp_path / "zoo" / "multilingual-e5-small" / "language" / "ha" / "README.md"
    card.write_text("an older card")
    Zoo(tmp_path / "zoo").write_index()
    older = content(tmp_path / "zoo")
    assert rewrite(tmp_path / "zoo") == ["multilingual-e5-small/language/ha"]
    assert content(tmp_path / "zoo") == before
    assert {name for name in before if before[name] != older[name]} == {
        "index.json",
        "multilingual-e5-small/language/ha/README.md",
    }
    Zoo(tmp_path / "zoo").check()


def test_a_signed_zoo_stays_as_it_was_signed(tmp_path: Path) -> None:
    shutil.copytree(ZOO, tmp_path / "zoo")
    (tmp_path / "zoo" / SIGNATURE_FILE).write_text("by somebody")
    with pytest.raises(ConfigError, match="is signed"):
        rewrite(tmp_path / "zoo")
