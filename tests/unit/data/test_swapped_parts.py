"""Sources whose two sides look swapped: what is refused, what is told, and how to be read all the same."""

from collections.abc import Callable
from pathlib import Path

import pytest

from adaptkit import Source, sample_pairs
from adaptkit.data.part import Part, parallel_part, read_parts
from adaptkit.data.swapped_parts import swapped_parts
from adaptkit.errors import ConfigError

Pairs = list[tuple[str, str]]
RIGHT = list(sample_pairs("sw"))[:60]
SWAPPED = [(sentence, translation) for translation, sentence in RIGHT]
LOOKS = "the two sides look swapped: the side read as Swahili looks like English, and the other side does not"


def table(path: Path, pairs: Pairs, header: str = "") -> Path:
    path.write_text(header + "".join(f"{first}\t{second}\n" for first, second in pairs), encoding="utf-8")
    return path


def two_files(folder: Path, pairs: Pairs) -> tuple[Path, Path]:
    paths = folder / "a.txt", folder / "b.txt"
    for side, path in enumerate(paths):
        path.write_text("".join(f"{pair[side]}\n" for pair in pairs), encoding="utf-8")
    return paths


def part(text: object, source_lang: str | None = None) -> Part:
    return parallel_part(Source(text, source_lang=source_lang), "sw", preferred="en")


def found(*texts: object, source_lang: str | None = None) -> list[str]:
    parts = [part(text, source_lang) for text in texts]
    return list(swapped_parts(parts, list(read_parts(parts)), likely="en"))


ORDERED: list[tuple[str, Callable[[Path, Pairs], object], str, str]] = [
    ("a.tsv", lambda to, pairs: table(to / "a.tsv", pairs), "Swap the columns", "A first line"),
    (
        "2 files: a.txt, b.txt",
        two_files,
        "Give the two files in the other order",
        "One file of two columns with a first line",
    ),
    ("a list of 60 pairs", lambda _, pairs: pairs, "Turn each pair round", "A file of two columns with a first line"),
]


@pytest.mark.parametrize("source_lang", ["en", None])
@pytest.mark.parametrize(("name", "given", "way_out", "believed"), ORDERED, ids=["columns", "files", "list"])
def test_where_an_order_alone_says_which_is_which_they_are_refused(
    tmp_path: Path,
    name: str,
    given: Callable[[Path, Pairs], object],
    way_out: str,
    believed: str,
    source_lang: str | None,
) -> None:
    assert not found(given(tmp_path, RIGHT), source_lang=source_lang)
    with pytest.raises(ConfigError) as error:
        found(given(tmp_path, SWAPPED), source_lang=source_lang)
    told = str(error.value)
    assert told.startswith(f"{name}: {LOOKS}. ")
    assert f" {way_out}" in told
    assert told.endswith(f" {believed} that names the languages is believed in any case, with a warning.")
    # To name English once more changes nothing, so that it is not said.
    named = "If the order is right and the translations are in another language than English, name that one: Source("
    assert (named in told) is (source_lang is None)
    assert "If they are right" not in told


def test_two_names_are_believed_with_a_warning_whichever_way_the_columns_were_refused(tmp_path: Path) -> None:
    (told,) = found(table(tmp_path / "named.tsv", SWAPPED, "en\tsw\n"))
    assert told.startswith(f"named.tsv: {LOOKS}. ")
    assert told.endswith("Correct the names of the languages.")
    assert not found(table(tmp_path / "named.tsv", SWAPPED, "sw\ten\n"))


def test_a_swapped_file_is_found_among_right_ones_of_its_source(tmp_path: Path) -> None:
    files = [table(tmp_path / f"{name}.tsv", RIGHT) for name in ("one", "two")]
    assert not found(files)
    swapped = table(tmp_path / "turned.tsv", SWAPPED[:25])
    with pytest.raises(ConfigError, match=r"^turned\.tsv: the two sides look swapped: .* Swap the columns"):
        found([files[0], swapped, files[1]])
    with pytest.raises(ConfigError, match=r"^2 files: a\.txt, b\.txt: .* Give the two files in the other order"):
        found([files[0], two_files(tmp_path, SWAPPED)])
    table(swapped, SWAPPED[:25], "en\tsw\n")
    (told,) = found([files[0], swapped], files[1])
    assert told.startswith("turned.tsv: the two sides look swapped: ")
    assert "Correct the names of the languages." in told
