"""Every command that answers with facts does so as JSON too, and none says more than was asked for if it is quiet."""

import json
import shutil
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
import typer

from adaptkit.cli.app import commands
from adaptkit.cli.commands import Commands
from adaptkit.data.sample import sample_pairs
from adaptkit.terminal.console import PlainConsole
from tests.runs import PAIRS, SWAHILI
from tests.unit.cli.conftest import Command

GROUP = typer.main.get_command(commands())
assert isinstance(GROUP, Commands)
SERVES = {"serve"}
"""It answers others, over HTTP."""
COMMANDS = [(name,) for name in GROUP.commands if name not in {"backbone", *SERVES}] + [("backbone", "export")]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_the_flags(command: tuple[str, ...], adaptkit: Command) -> None:
    text = adaptkit(*command, "--help").out
    for flag in ("--json ", "--quiet "):
        assert text.count(f" {flag}") == 1, flag


@pytest.fixture
def place(tmp_path: Path, zoo_folder: Path) -> Path:
    """A folder with a text, pairs and a zoo."""
    (tmp_path / "text.txt").write_text("\n".join(SWAHILI), encoding="utf-8")
    for name, side in (("en.txt", 0), ("sw.txt", 1)):
        (tmp_path / name).write_text("\n".join(pair[side] for pair in PAIRS), encoding="utf-8")
    shutil.copytree(zoo_folder, tmp_path / "zoo")
    return tmp_path


CALLS: dict[str, tuple[str, ...]] = {
    "version": ("version",),
    "list": ("list", "zoo"),
    "index": ("index", "zoo"),
    "diff": ("diff", "zoo/sw", "zoo/yo"),
    "inspect": ("inspect", "zoo/sw"),
    "verify": ("verify", "zoo", "--backbone", "BACKBONE"),
    "train": (
        "train",
        "--lang",
        "sw",
        "--text",
        "text.txt",
        "--max-steps",
        "1",
        "--backbone",
        "BACKBONE",
        "--output",
        "out",
    ),
    "estimate": ("estimate", "--lang", "sw", "--text", "text.txt", "--max-steps", "1", "--backbone", "BACKBONE"),
    "mine": (
        "mine",
        "--lang",
        "sw",
        "--text",
        "sw.txt",
        "--translations",
        "en.txt",
        "--backbone",
        "BACKBONE",
        "--output",
        "out.tsv",
    ),
    "merge": ("merge", "zoo/sw", "--backbone", "BACKBONE", "--output", "out"),
    "export": ("export", "zoo/sw", "--output", "out"),
    "encode": ("encode", "sw.txt", "--backbone", "BACKBONE"),
    "search": ("search", "text.txt", "maji", "--backbone", "BACKBONE", "--no-progress"),
}
FACT = {
    "version": "version",
    "list": "adapters",
    "index": "adapters",
    "diff": "summary",
    "inspect": "card",
    "verify": "checks",
    "train": "training",
    "estimate": "plan",
    "mine": "pairs",
    "merge": "output_error",
    "export": "for_class",
    "search": "hits",
}
CONFIRM = {"index", "train", "mine", "merge", "export"}


@pytest.mark.parametrize("name", CALLS)
def test_the_answer_is_json(
    name: str, adaptkit: Command, place: Path, backbone_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    call = [str(backbone_folder) if part == "BACKBONE" else part for part in CALLS[name]]
    outcome = adaptkit(*call, "--json", "--quiet")
    assert (outcome.status, outcome.err) == (0, "")
    answers = [json.loads(line) for line in outcome.out.splitlines()]
    assert len(answers) == (len(PAIRS) if name == "encode" else 1)
    assert name == "encode" or FACT[name] in answers[0]
    shutil.rmtree(place / "out", ignore_errors=True)
    (place / "out.tsv").unlink(missing_ok=True)
    quiet = adaptkit(*call, "--quiet")
    assert (quiet.status, quiet.err) == (0, "")
    assert (quiet.out == "") is (name in CONFIRM)


def test_vectors_in_a_file_are_told_as_json(adaptkit: Command, place: Path, backbone_folder: Path) -> None:
    call = ("encode", place / "sw.txt", "--backbone", backbone_folder, "--overwrite", "--output", place / "out.npy")
    told = json.loads(adaptkit(*call, "--json").out)
    assert told == {"file": str(place / "out.npy"), "vectors": len(PAIRS), "width": 32}
    quiet = adaptkit(*call, "--quiet")
    assert (quiet.status, quiet.out, quiet.err) == (0, "", "")
    assert "vectors of width 32 are in" in adaptkit(*call).err


def test_an_unsound_zoo_is_told_as_json_too(adaptkit: Command, place: Path, other_backbone_folder: Path) -> None:
    outcome = adaptkit("verify", place / "zoo", "--backbone", other_backbone_folder, "--json")
    found = json.loads(outcome.out)
    assert (outcome.status, found["sound"], found["unsound"]) == (1, 0, 3)
    assert sum(line.startswith("NO  ") for line in found["checks"]) == 3


def test_a_list_for_programs_has_the_broken_too(adaptkit: Command, place: Path) -> None:
    (place / "zoo" / "yo" / "adaptkit.json").write_text("{")
    found = json.loads(adaptkit("list", place / "zoo", "--json", "--quiet").out)
    assert "language/yo" not in [each["id"] for each in found["adapters"]]
    assert [Path(where).name for where in found["broken"]] == ["yo"]


def test_an_error_is_told_to_the_quiet_too(adaptkit: Command) -> None:
    outcome = adaptkit("list", "--quiet", "no-such-zoo")
    assert (outcome.status, outcome.out) == (1, "")
    assert "no-such-zoo" in outcome.err


def test_swapped_columns_are_told_to_the_quiet_too(
    adaptkit: Command, tmp_path: Path, backbone_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = "".join(f"{swahili}\t{english}\n" for english, swahili in sample_pairs("sw")[:60])
    (tmp_path / "wrong.tsv").write_text(lines, encoding="utf-8")
    options = ("--max-steps", 2, "--batch-size", 8, "--backbone", backbone_folder)
    asked = ("train", "--lang", "sw", "--source-lang", "en", "--parallel", tmp_path / "wrong.tsv", *options)
    shown = adaptkit(*asked).err
    assert "\nwarning: wrong.tsv" in shown
    assert shown.index("\nwarning: ") > shown.index("\nobjective: ")
    assert caplog.messages == []
    quiet = adaptkit(*asked, "--quiet")
    assert (quiet.status, quiet.err) == (0, "")
    assert [(each.levelname, "two sides look swapped" in each.getMessage()) for each in caplog.records] == [
        ("WARNING", True)
    ]


def test_lines_of_tools_are_read_from_standard_input(
    adaptkit: Command, backbone_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"habari\nasante\n"), encoding="utf-8"))
    outcome = adaptkit("encode", "--backbone", backbone_folder, "--json", "--quiet")
    assert [len(json.loads(line)) for line in outcome.out.splitlines()] == [32, 32]


def test_the_list_fits_a_terminal_and_shows_the_gain(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from adaptkit.cli import list_adapters
    from adaptkit.format.catalogue import Catalogue
    from adaptkit.format.listing import Listing

    zoo = Path(__file__).parents[3] / "adapters_zoo"
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(list_adapters, "_out", PlainConsole(soft_wrap=False))
    monkeypatch.setattr(PlainConsole, "is_terminal", True)
    catalogue = Catalogue(zoo, Listing)
    list_adapters._show(list(catalogue), [catalogue])
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines if not line.startswith("in "))
    assert any(line.startswith("language/sw") and "+12.7" in line and "67.2, 79.9" in line for line in lines)
