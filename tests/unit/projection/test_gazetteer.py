"""Names of countries and languages in CLDR's form, written by hand."""

import json
from pathlib import Path

import pytest

import adaptkit
from adaptkit.errors import MalformedText, SourceNotFound
from adaptkit.model import AdaptedModel
from adaptkit.projection.entities import Span
from adaptkit.projection.gazetteer import read_gazetteer
from adaptkit.storage import Adapter
from tests.unit.projection.test_project import names, tiny  # noqa: F401 - fixtures

NAMES = {
    "en": {
        "territories": {
            "DE": "Germany",
            "US": "United States",
            "US-alt-short": "US",
            "QO": "QO",
            "CI": "Côte d’Ivoire",
        },
        "languages": {"de": "German", "sw": "Swahili"},
    },
    "sw": {
        "territories": {"DE": "Ujerumani", "US": "Marekani", "CI": "Kodivaa", "QO": "QO"},
        "languages": {"de": "Kijerumani"},
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for tag, files in NAMES.items():
        for file, found in files.items():
            path = tmp_path / "cldr" / "main" / tag / f"{file}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"main": {tag: {"localeDisplayNames": {file: found}}}}))
    return tmp_path / "cldr"


@pytest.mark.parametrize(
    ("ours", "theirs", "place"),
    [
        ("Otieno left Germany", "Otieno aliondoka Ujerumani jana", (2, 3)),
        ("Otieno left the United States", "Otieno aliondoka Marekani", (2, 3)),
        ("Otieno left US", "Otieno aliondoka Marekani", (2, 3)),
        ("Otieno left Germany", "Otieno aliondoka jana", None),
        ("Otieno left Kisumu", "Otieno aliondoka Ujerumani", None),
        ("Otieno speaks German", "Otieno anasema Kijerumani", (2, 3)),
    ],
)
def test_a_translated_name_is_found(ours: str, theirs: str, place: tuple[int, int] | None, folder: Path) -> None:
    known = read_gazetteer(folder, language="sw", source="en")
    words = ours.split()
    entity = Span(len(words) - (2 if "United" in ours else 1), len(words), "LOC")
    found = known.places_of(entity, words, theirs.split())
    assert [(placed.span.start, placed.span.end) for placed in found] == ([] if place is None else [place])
    assert all(placed.how == "gazetteer" for placed in found)


def test_what_is_no_gazetteer_is_told(folder: Path) -> None:
    assert read_gazetteer(folder / "main", language="sw", source="en") == read_gazetteer(
        folder, language="sw", source="en"
    )
    with pytest.raises(SourceNotFound, match="cldr-localenames-full"):
        read_gazetteer(folder, language="ha", source="en")
    for wrong in (
        "[]",
        "{",
        '{"main": {"sw": 3}}',
        '{"main": {"sw": {"localeDisplayNames": {"territories": {"DE": 3}}}}}',
    ):
        (folder / "main" / "sw" / "territories.json").write_text(wrong)
        with pytest.raises(MalformedText, match="localeDisplayNames"):
            read_gazetteer(folder, language="sw", source="en")


def test_a_projection_asks_it_after_copies(tiny: AdaptedModel, names: Adapter, folder: Path) -> None:  # noqa: F811
    file = folder / "main" / "en" / "territories.json"
    file.write_text(json.dumps({"main": {"en": {"localeDisplayNames": {"territories": {"DE": "Musa"}}}}}))
    pairs = [("yesterday Musa sold maize", "jana Ujerumani aliuza mahindi")] * 3
    found = adaptkit.project_entities(parallel=pairs, lang="sw", names=names, backbone=tiny, gazetteer=folder)
    assert found.found == {"gazetteer": 3}
    assert found.sentences[0].tags == ("O", "B-PER", "O", "O")
