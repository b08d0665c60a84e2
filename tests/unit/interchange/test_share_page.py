"""The Python blocks of docs/how-to/share.md, run in order with a hub on this machine."""

import re
from pathlib import Path
from typing import Any

import pytest

from adaptkit import load_adapter
from tests.hub_server import FakeHub
from tests.tiny import tiny_model
from tests.unit.interchange.test_hub import content, saved

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "share.md"


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_the_page_does_what_it_says(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    saved(tmp_path / "adapters" / "sw")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("adaptkit.load_model", tiny_model)
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 3
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)  # noqa: S102 - our own page
    assert hub.repos["me/e5-small-lang-sw"].private
    assert names["model"].attached == ("language/sw",)
    assert names["adapter"].weights_sha256 == load_adapter("adapters/sw").weights_sha256
    assert sorted(content(tmp_path / "adapters" / "pinned")) == sorted(content(tmp_path / "adapters" / "sw"))
    assert "HF_HUB_OFFLINE is set" in capsys.readouterr().out
