"""Trainings on a mix of texts, on a tiny backbone."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import adaptkit
from adaptkit import Run, Source
from adaptkit.errors import MalformedText
from adaptkit.model import AdaptedModel
from tests.runs import PAIRS, SWAHILI

QUICK: dict[str, Any] = {"lang": "sw", "run": Run(max_steps=3, batch_size=8, progress=False)}
FRENCH = [("Une chèvre dort.", "Mbuzi analala."), ("Deux œufs.", "Mayai mawili.")] * 6


def tmx(pairs: Sequence[tuple[str, str]], source: str) -> str:
    units = (
        f'<tu><tuv xml:lang="{source}"><seg>{theirs}</seg></tuv><tuv xml:lang="sw"><seg>{ours}</seg></tuv></tu>'
        for theirs, ours in pairs
    )
    return f'<tmx version="1.4"><header/><body>{"".join(units)}</body></tmx>'


@pytest.fixture
def mix(tmp_path: Path) -> list[Any]:
    """JSON lines, two plain files, a translation memory from French, and pairs in memory."""
    lines = "\n".join(json.dumps({"en": en, "sw": sw}) for en, sw in PAIRS[:20])
    (tmp_path / "news.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    for side, name in enumerate(("a.en", "a.sw")):
        (tmp_path / name).write_text("\n".join(pair[side] for pair in PAIRS[20:40]), encoding="utf-8")
    (tmp_path / "b.tmx").write_text(tmx(FRENCH, "fr"), encoding="utf-8")
    return [
        tmp_path / "news.jsonl.gz",
        (tmp_path / "a.en", tmp_path / "a.sw"),
        Source(tmp_path / "b.tmx", name="health"),
        PAIRS[40:],
    ]


def test_sources_of_four_kinds_and_two_languages_train_together(mix: list[Any], model: AdaptedModel) -> None:
    card = adaptkit.train_adapter(**QUICK, parallel=mix, backbone=model).card
    assert card.n_lines == 40 + len(FRENCH) + len(PAIRS[40:])
    assert card.source == (
        "4 sources: news.jsonl.gz (en to sw); 2 files: a.en, a.sw (unnamed to sw); health (fr to sw) and 1 more"
    )


def test_a_mix_is_trained_on_as_its_sources_one_after_the_other(mix: list[Any], model: AdaptedModel) -> None:
    mixed = adaptkit.train_adapter(**QUICK, parallel=mix[:2], backbone=model)
    whole = adaptkit.train_adapter(**QUICK, parallel=PAIRS[:40], backbone=model)
    assert mixed.card.text_sha256 == whole.card.text_sha256


def test_text_of_several_sources(mix: list[Any], model: AdaptedModel) -> None:
    text = [mix[1][1], SWAHILI[40:], Source(mix[2].text, name="health")]
    card = adaptkit.train_adapter(**QUICK, text=text, backbone=model).card
    assert card.n_lines == 20 + len(SWAHILI[40:]) + len(FRENCH)
    assert card.source == "3 sources: a.sw; a list of 20 sentences; health"


def test_a_source_language_of_the_call_is_for_sources_that_state_none(mix: list[Any], model: AdaptedModel) -> None:
    stated = Source(mix[2].text, source_lang="fr")
    adaptkit.train_adapter(**QUICK, parallel=[mix[0], stated], source_lang="en", backbone=model)
    with pytest.raises(MalformedText, match="fr, sw"):
        adaptkit.train_adapter(**QUICK, parallel=[mix[0], mix[2]], source_lang="en", backbone=model)
