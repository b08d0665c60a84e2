"""Translation memories: what is read, and what is refused."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from adaptkit.data.corpus import open_corpus
from adaptkit.data.parallel import open_parallel
from adaptkit.data.tmx import MAX_DEPTH, MAX_MARKUP_BYTES, MAX_UNIT_CHARACTERS, tmx_rows
from adaptkit.errors import MalformedText

HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'


def unit(**sentences: str) -> str:
    tuvs = "".join(
        f'<tuv xml:lang="{name.replace("_", "-")}"><seg>{text}</seg></tuv>' for name, text in sentences.items()
    )
    return f"<tu>{tuvs}</tu>"


def memory(*units: str, doctype: str = "") -> str:
    return f'{HEADER}{doctype}<tmx version="1.4"><header srclang="en"/><body>\n' + "\n".join(units) + "</body></tmx>"


def written(folder: Path, content: str | bytes, name: str = "a.tmx") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


UNITS = (unit(en="The goat sleeps.", ha="Akuya tana barci."), unit(en="Two eggs.", ha="Ƙwai biyu."))
PAIRS = [("The goat sleeps.", "Akuya tana barci."), ("Two eggs.", "Ƙwai biyu.")]


@pytest.mark.parametrize(
    ("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)]
)
def test_pairs_are_read_plain_and_packed(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    file = written(tmp_path, pack(memory(*UNITS).encode()), f"a.tmx{suffix}")
    corpus = open_parallel(file, target="ha")
    assert list(corpus.pairs()) == list(corpus.pairs()) == PAIRS
    assert corpus.source_language == "en"


def test_pairs_are_read_from_a_zstandard_file(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    file = written(tmp_path, zstandard.ZstdCompressor().compress(memory(*UNITS).encode()), "a.tmx.zst")
    assert list(open_parallel(file, target="ha").pairs()) == PAIRS


@pytest.mark.parametrize(
    ("preferred", "pair"), [("en", ("Goat.", "Akuya.")), ("fr", ("Œuf.", "Ƙwai.")), ("de", ("Œuf.", "Ƙwai."))]
)
def test_a_preferred_language_is_taken_though_other_units_come_first(
    tmp_path: Path, preferred: str, pair: tuple[str, str]
) -> None:
    file = written(
        tmp_path, memory(unit(en="One.", fr="Un."), unit(fr="Œuf.", ha="Ƙwai."), unit(en="Goat.", ha="Akuya."))
    )
    assert list(open_parallel(file, target="ha", preferred=preferred).pairs()) == [pair]


def test_a_language_among_several_is_chosen_and_units_without_it_are_skipped(tmp_path: Path) -> None:
    units = unit(en="One.", fr="Un."), unit(en="Egg.", fr="Œuf.", ha="Ƙwai."), unit(en="Goat.", ha="Akuya.")
    file = written(tmp_path, memory(*units))
    corpus = open_parallel(file, target="ha", source_language="fr")
    assert list(corpus.pairs()) == [("Œuf.", "Ƙwai.")]
    assert corpus.empty_pairs == 2
    with pytest.raises(MalformedText, match="source_lang"):
        open_parallel(file, target="ha")


@pytest.mark.parametrize("first", [unit(ha="Akuya."), unit(ha_NG="Akuya."), unit(ha="Akuya.", x_note="See 3.")])
def test_where_the_source_is_left_open_units_with_the_target_alone_are_skipped(tmp_path: Path, first: str) -> None:
    corpus = open_parallel(written(tmp_path, memory(first, *UNITS, unit(ha="Ƙwai."))), target="ha")
    assert list(corpus.pairs()) == PAIRS
    assert (corpus.source_language, corpus.empty_pairs) == ("en", 2)


def test_a_memory_of_the_target_alone_lacks_one_more_language(tmp_path: Path) -> None:
    file = written(tmp_path, memory(unit(ha="Akuya."), unit(ha="Ƙwai.")))
    with pytest.raises(MalformedText, match="found the languages ha; expected a unit in ha and one more language"):
        open_parallel(file, target="ha")


def test_a_region_behind_a_language_is_no_other_language(tmp_path: Path) -> None:
    file = written(tmp_path, memory(unit(en_US="Egg.", ha_NG="Ƙwai.")))
    assert list(open_parallel(file, target="ha", source_language="en").pairs()) == [("Egg.", "Ƙwai.")]
    assert open_parallel(file, target="ha").source_language == "en-US"


def test_two_regions_of_a_language_are_not_chosen_between(tmp_path: Path) -> None:
    file = written(tmp_path, memory(unit(en="Egg.", pt_BR="Ovo.", pt_PT="Um ovo.")))
    with pytest.raises(MalformedText, match="pt-BR"):
        open_parallel(file, target="pt")


def test_languages_that_no_unit_has_are_told_with_those_found(tmp_path: Path) -> None:
    with pytest.raises(MalformedText, match="en, ha"):
        open_parallel(written(tmp_path, memory(*UNITS)), target="sw")


def test_the_attribute_of_older_versions_is_read(tmp_path: Path) -> None:
    old = memory(*UNITS).replace("xml:lang", "lang")
    assert list(open_parallel(written(tmp_path, old), target="ha").pairs()) == PAIRS


def test_marks_of_other_programs_are_no_text(tmp_path: Path) -> None:
    seg = 'A <bpt i="1">&lt;b&gt;</bpt><hi>red</hi><ept i="1"/> <ph>{0}<sub>note</sub></ph>egg &amp;\n more'
    assert next(tmx_rows(written(tmp_path, memory(unit(en=seg)))))[1] == {"en": "A red egg & more"}


def test_units_are_known_by_their_line(tmp_path: Path) -> None:
    assert [line for line, _ in tmx_rows(written(tmp_path, memory(*UNITS)))] == [3, 4]


def test_sentences_in_one_language_are_text(tmp_path: Path) -> None:
    file = written(tmp_path, memory(*UNITS, unit(en="Only here.")))
    assert list(open_corpus(file, language="ha").lines()) == [ha for _, ha in PAIRS]
    assert list(open_corpus(file, column="en").lines())[-1] == "Only here."
    with pytest.raises(MalformedText, match="column"):
        list(open_corpus(file).lines())
    with pytest.raises(MalformedText, match="en, ha"):
        list(open_corpus(file, language="sw").lines())


def test_a_doctype_is_passed_over_and_nothing_is_fetched(tmp_path: Path) -> None:
    other = written(tmp_path, "<!ENTITY secret 'x'>", "tmx14.dtd")
    file = written(tmp_path, memory(*UNITS, doctype=f'<!DOCTYPE tmx SYSTEM "{other}">'))
    assert len(list(tmx_rows(file))) == 2


HOSTILE = {
    "an entity": memory(unit(en="&a;"), doctype='<!DOCTYPE tmx [<!ENTITY a "b">]>'),
    "an entity of a file": memory(unit(en="&a;"), doctype='<!DOCTYPE tmx [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
    "a parameter entity": memory(*UNITS, doctype='<!DOCTYPE tmx [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]>'),
    "an unknown entity": memory(unit(en="&a;"), doctype='<!DOCTYPE tmx SYSTEM "tmx14.dtd">'),
    "no entity": memory(unit(en="&a;")),
    "a deep file": memory("<x>" * MAX_DEPTH),
    "a large unit": memory(unit(en="word " * (MAX_UNIT_CHARACTERS // 4))),
    "many languages": memory(unit(**{f"x{number}{'y' * 100}": "" for number in range(MAX_UNIT_CHARACTERS // 100)})),
    "a large mark": memory(f'<tu a="{"x" * 2 * MAX_MARKUP_BYTES}"></tu>'),
    "no language": memory("<tu><tuv><seg>Egg.</seg></tuv></tu>"),
    "other XML": HEADER + "<html/>",
    "no XML": "The goat sleeps.",
    "cut off": memory(*UNITS)[:-20],
    "nothing": "",
    "an unknown encoding": memory(*UNITS).replace("UTF-8", "EBCDIC-X"),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_what_is_hostile_or_broken_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(MalformedText):
        list(tmx_rows(written(tmp_path, content)))


def test_a_broken_packed_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedText, match="broken"):
        list(tmx_rows(written(tmp_path, gzip.compress(memory(*UNITS).encode())[:-9], "a.tmx.gz")))


def test_a_byte_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedText, match="line 3"):
        list(tmx_rows(written(tmp_path, memory(*UNITS).encode().replace(b"goat", b"go\xff"))))
