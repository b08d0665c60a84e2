"""`adaptkit search`: a corpus, queries, and an index that is kept."""

import gzip
import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.runs import PAIRS
from tests.unit.cli.conftest import Command

SWAHILI = [swahili for _, swahili in PAIRS]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt.gz"
    path.write_bytes(gzip.compress("\n".join(["", *SWAHILI]).encode()))
    return path


def test_an_empty_corpus_is_refused_before_a_backbone_is_loaded(adaptkit: Command, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text(" \n\n")
    outcome = adaptkit("search", tmp_path / "empty.txt", "mbuzi", "--backbone", tmp_path / "no-backbone")
    assert (outcome.status, "empty.txt holds no text" in outcome.err) == (1, True)
    text = ["--text", tmp_path / "empty.txt", "--translations", tmp_path / "empty.txt", "--lang", "sw"]
    outcome = adaptkit("mine", *text, "--output", tmp_path / "pairs.tsv", "--backbone", tmp_path / "no-backbone")
    assert (outcome.status, "empty.txt holds no text" in outcome.err) == (1, True)


def test_hits_are_lines_with_tabs(adaptkit: Command, corpus: Path, backbone_folder: Path) -> None:
    outcome = adaptkit("search", corpus, SWAHILI[4], "--top", 3, "--backbone", backbone_folder)
    assert outcome.status == 0, outcome.err
    lines = [line.split("\t") for line in outcome.out.splitlines()]
    assert lines[0] == ["1", "1.000", "6", SWAHILI[4]]  # an empty line stands above
    assert [line[0] for line in lines] == ["1", "2", "3"]
    outcome = adaptkit("search", corpus, SWAHILI[4], SWAHILI[5], "--json", "--backbone", backbone_folder)
    found = [json.loads(line) for line in outcome.out.splitlines()]
    assert [one["query"] for one in found] == SWAHILI[4:6]
    assert found[1]["hits"][0] == {"rank": 1, "similarity": 1.0, "line": 7, "text": SWAHILI[5]}
    assert len(found[0]["hits"]) == 10


def test_queries_may_come_from_standard_input(
    adaptkit: Command, corpus: Path, backbone_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = SimpleNamespace(buffer=io.BytesIO(f"{SWAHILI[0]}\n{SWAHILI[1]}\n".encode()))
    monkeypatch.setattr("sys.stdin", given)
    outcome = adaptkit("search", corpus, "--top", 1, "--backbone", backbone_folder)
    assert outcome.out.splitlines()[::2] == [f"# {SWAHILI[0]}", f"# {SWAHILI[1]}"]
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"")))
    assert "there is nothing to look for" in adaptkit("search", corpus, "--backbone", backbone_folder).err


def test_stacks_are_named_by_the_adapters_of_a_zoo(
    adaptkit: Command, corpus: Path, backbone_folder: Path, zoo_folder: Path
) -> None:
    given = ("search", corpus, SWAHILI[4], "--top", 1, "--backbone", backbone_folder, "--stack", "sw")
    assert "nothing says where they are: give --zoo FOLDER" in adaptkit(*given).err
    assert adaptkit(*given, "--zoo", zoo_folder).out.startswith("1\t1.000\t6\t")
    bare = adaptkit(*given, "--zoo", zoo_folder, "--query-stack", "none")
    assert (bare.status, bare.out.startswith("1\t1.000")) == (0, False)
    outcome = adaptkit(*given[:-1], "xx", "--zoo", zoo_folder)
    assert "no adapter xx is attached" in outcome.err or "UnknownAdapter" in outcome.err


def test_an_index_is_written_once_and_read_again(
    adaptkit: Command, corpus: Path, backbone_folder: Path, zoo_folder: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    given = ("search", corpus, SWAHILI[4], "--backbone", backbone_folder, "--zoo", zoo_folder, "--index", index)
    first = adaptkit(*given, "--stack", "sw", "--private")
    assert f"the index of 60 sentences is in {index}" in first.err
    again = adaptkit(*given, "--stack", "sw")
    assert (again.status, again.out) == (0, first.out)
    assert "the index of" not in again.err
    assert f"{index} is an index under language/sw, and no adapter is asked for" in adaptkit(*given).err
    (tmp_path / "other.txt").write_text("mbuzi\n", encoding="utf-8")
    outcome = adaptkit(given[0], tmp_path / "other.txt", *given[2:], "--stack", "sw")
    assert "is an index of other text (corpus.txt.gz, 60 texts) than other.txt with 1" in outcome.err


def test_an_index_with_text_is_not_private(
    adaptkit: Command, corpus: Path, backbone_folder: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    given = ("search", corpus, SWAHILI[4], "--backbone", backbone_folder, "--index", index)
    assert adaptkit(*given).status == 0
    refused = adaptkit(*given, "--private")
    assert (refused.status, refused.out) == (1, "")
    assert f"{index} keeps the text: it was written without --private. Delete that folder" in " ".join(
        refused.err.split()
    )
    other = (*given[:-1], tmp_path / "other", "--private")
    assert [adaptkit(*other).status for _ in range(2)] == [0, 0]


def test_what_cannot_be_is_said_before_a_backbone_is_loaded(
    adaptkit: Command, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adaptkit.recipes.place.model_of", None)
    outcome = adaptkit("search", tmp_path / "none.txt", "mbuzi")
    assert (outcome.status, "SourceNotFound" in outcome.err) == (1, True)
    outcome = adaptkit("search", corpus, "mbuzi", "--private")
    assert "--private is for an index that is kept; give --index FOLDER too" in outcome.err
