"""Text of publishers in their own formats: the counts that the research folder states."""

from pathlib import Path

import pytest

from adaptkit.data.mix import parallel_sources
from adaptkit.data.part import parallel_part, read_parts
from adaptkit.data.source import Source
from adaptkit.data.survey import Survey

pytestmark = pytest.mark.real_data


def test_a_translation_memory_and_plain_files_are_a_mix(data_folder: Path) -> None:
    text = data_folder / "text"
    ntrex = [text / "ntrex" / f"newstest2019-{name}.txt.gz" for name in ("src.eng", "ref.hau")]
    given = [text / "tico19" / "all.en-ha.tmx.gz", Source(tuple(ntrex), source_lang="en", licence="CC-BY-SA-4.0")]
    parts = [parallel_part(source, "ha") for source in parallel_sources(given)]
    assert [part.languages for part in parts] == ["en to ha", "en to ha"]
    survey = Survey(2)
    assert sum(1 for _ in survey.watched(read_parts(parts))) == 3071 + 1997
    tico, news = survey.sources()
    assert (tico.lines, news.lines) == (3071, 1997)
    assert news.full_sentences > 0.85
