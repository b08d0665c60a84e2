"""Records that share a backbone, one of them hostile."""

import json
from pathlib import Path

import pytest

from adaptkit.errors import AdaptkitError
from adaptkit.storage import Zoo
from tests.adapters import random_adapter
from tests.methods import METHODS
from tests.tiny import tiny_model


@pytest.mark.parametrize("version", [[], {}, "4", None, True])
def test_a_version_that_is_no_number_breaks_its_own_adapter_only(version: object, tmp_path: Path) -> None:
    for name in ("ha", "sw"):
        random_adapter(tiny_model(), METHODS["lora"], name=name).save(tmp_path / name)
    record = tmp_path / "sw" / "adaptkit.json"
    content = json.loads(record.read_text(encoding="utf-8"))
    text = record.read_text(encoding="utf-8").replace(
        f'"format_version": {content["format_version"]}', f'"format_version": {json.dumps(version)}'
    )
    assert text != record.read_text(encoding="utf-8")
    record.write_text(text, encoding="utf-8")
    zoo = Zoo(tmp_path)
    assert [listing.id for listing in zoo.search()] == ["language/ha"]
    assert all(isinstance(reason, AdaptkitError | str) for reason in dict(zoo.broken).values())
    assert len(zoo.broken) == 1
