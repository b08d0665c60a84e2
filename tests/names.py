"""Folders of names in CLDR's form, written by hand."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

EMOJI: Mapping[str, Mapping[str, tuple[str, Sequence[str]]]] = {
    "en": {"🐐": ("goat", ["animal", "farm"]), "🌽": ("ear of maize", ["food", "farm"]), "💧": ("drop", ["water"])},
    "sw": {"🐐": ("mbuzi", ["mnyama", "shamba"]), "🌽": ("gunzi", ["chakula", "shamba"]), "💧": ("tone", [])},
}
"""By language and sign, the name and the keywords."""


def write_emoji(folder: Path, emoji: Mapping[str, Mapping[str, tuple[str, Sequence[str]]]] = EMOJI) -> Path:
    """Names of emoji, as the package `cldr-annotations-full` has them."""
    for tag, signs in emoji.items():
        found = {
            sign: {"tts": [name], **({"default": keywords} if keywords else {})}
            for sign, (name, keywords) in signs.items()
        }
        _write(folder / "annotations" / tag / "annotations.json", {"annotations": {"annotations": found}})
    return folder


def write_places(folder: Path, territories: Mapping[str, Mapping[str, str]]) -> Path:
    """Names of countries by language, as the package `cldr-localenames-full` has them, and none of languages."""
    for tag, names in territories.items():
        for file, found in {"territories": names, "languages": {}}.items():
            content = {"main": {tag: {"localeDisplayNames": {file: found}}}}
            _write(folder / "main" / tag / f"{file}.json", content)
    return folder


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
