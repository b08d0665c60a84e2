"""Modules that a call names are imported before there are commands, and nothing else is."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adaptkit import load_adapter
from adaptkit.cli.named_modules import import_named
from adaptkit.errors import ConfigError
from adaptkit.named_modules import import_each
from tests.examples import EXAMPLES, forgotten
from tests.runs import PAIRS
from tests.unit.cli.conftest import Command

NAME = "translation_language_modelling"
FILE = EXAMPLES / f"{NAME}.py"


@pytest.fixture
def _forgotten() -> Iterator[None]:
    with forgotten(NAME):
        yield


@pytest.mark.usefixtures("_forgotten")
def test_what_it_registers_has_flags_and_help(adaptkit: Command) -> None:
    shown = adaptkit("--import", FILE, "train", "--help").out
    assert re.search(r"Objective tlm:\n +--mask-share <float> +share of the tokens that are masked", shown)
    assert re.search(r"--objective <.*\|tlm>", shown)


def test_without_it_there_are_none(adaptkit: Command) -> None:
    assert "--mask-share" not in adaptkit("train", "--help").out
    assert NAME not in sys.modules


@pytest.fixture
def asked(tmp_path: Path, backbone_folder: Path) -> list[object]:
    text = tmp_path / "en-sw.tsv"
    text.write_text("".join(f"{a}\t{b}\n" for a, b in PAIRS), encoding="utf-8")
    return ["train", "--lang", "sw", "--parallel", text, "--backbone", backbone_folder, "--max-steps", 4]


@pytest.mark.usefixtures("_forgotten")
def test_the_command_trains_with_it(adaptkit: Command, asked: list[object], tmp_path: Path) -> None:
    own = ["--objective", "tlm", "--mask-share", 0.25, "--output", tmp_path / "sw"]
    done = adaptkit(f"--import={FILE}", *asked, *own)
    assert done.status == 0, done.err
    adapter = load_adapter(tmp_path / "sw")
    assert adapter.training is not None
    assert (adapter.training.objective, adapter.training.settings["mask_share"]) == ("tlm", 0.25)
    assert "Lample and Conneau 2019" in (tmp_path / "sw" / "README.md").read_text(encoding="utf-8")


def test_the_command_trains_by_a_method_of_a_file(adaptkit: Command, asked: list[object], tmp_path: Path) -> None:
    with forgotten("bitfit"):
        done = adaptkit(
            "--import", EXAMPLES / "bitfit.py", *asked, "--method", "bitfit", "--blocks", 1, "--output", tmp_path / "sw"
        )
        assert done.status == 0, done.err
        config = load_adapter(tmp_path / "sw").config
        assert (config.method_name, config.method.blocks) == ("bitfit", (1,))
    assert "BitFit: Ben Zaken et al. 2022" in (tmp_path / "sw" / "README.md").read_text(encoding="utf-8")
    refused = adaptkit(*asked, "--method", "bitfit", "--output", tmp_path / "again")
    assert (refused.status != 0, "bitfit" in refused.err) == (True, True)


@pytest.mark.usefixtures("_forgotten")
def test_its_flags_are_refused_for_others(adaptkit: Command, asked: list[object]) -> None:
    refused = adaptkit("--import", FILE, *asked, "--objective", "distill", "--mask-share", 0.25)
    assert (refused.status, "objective 'tlm'" in refused.err) == (1, True)


@pytest.mark.usefixtures("_forgotten")
def test_a_module_is_found_by_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    assert import_named(["train", "--import", NAME, "--lang", "sw", "--", "--import", "nothing"]) == [
        *("train", "--lang", "sw", "--", "--import", "nothing")
    ]
    assert NAME in sys.modules


@pytest.mark.usefixtures("_forgotten")
def test_it_may_stand_behind_the_command(adaptkit: Command) -> None:
    assert "--mask-share <float>" in adaptkit("train", f"--import={FILE}", "--help").out


def test_a_name_that_nothing_has_is_told_how_to_bring_it(adaptkit: Command) -> None:
    for flag in ("--method", "--objective"):
        refused = adaptkit("train", "--lang", "sw", flag, "bitfitt")
        assert (refused.status, refused.out) == (1, "")
        assert f"{flag} is " in refused.err
        assert "For one of your own, name its file: --import FILE.py." in refused.err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing.py", r"--import nothing\.py: there is no such file"),
        ("json.py", r"a module 'json' is imported already; give the file another name"),
        ("nothing", r"--import nothing: Python finds no such module\. A file is given by its path"),
        ("", r"--import names nothing; write --import FILE\.py"),
        ("json.nothing", r"--import json\.nothing: Python finds no such module"),
    ],
)
def test_what_is_not_there_is_said(name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("json.py").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        import_named(["--import", name])


def test_what_the_module_itself_lacks_is_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lacking_something.py").write_text("import a_thing_that_is_nowhere\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("lacking_something", str(tmp_path / "lacking_something.py")):
        with forgotten("lacking_something"), pytest.raises(ModuleNotFoundError, match="a_thing_that_is_nowhere"):
            import_named(["--import", name])


def test_a_file_that_fails_is_not_taken_for_imported(tmp_path: Path) -> None:
    path = tmp_path / "failing_module_of_a_test.py"
    path.write_text("raise ValueError('not yet')\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(ValueError, match="not yet"):
            import_each([str(path)])
