"""What is imported when: values and commands that need no tensors import no tensor library."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import adaptkit

HEAVY = ("torch", "transformers", "accelerate", "datasets", "peft", "bitsandbytes", "sklearn", "pyarrow", "matplotlib")
TABLES = ("langcodes", "language_data", "fontTools")
SHOWN = "import sys; print(*sorted(sys.modules.keys() & set(sys.argv[1:])))"


def heavy_modules_after(code: str, arguments: Sequence[str] = (), heavy: Sequence[str] = HEAVY) -> list[str]:
    """The heavy packages that a fresh interpreter has imported after some code."""
    program = f"import sys\nsys.argv[1:] = {list(arguments)!r}\n{code}\nsys.argv[1:] = {heavy!r}\n{SHOWN}"
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()


def test_importing_adaptkit_imports_nothing_heavy() -> None:
    assert heavy_modules_after("import adaptkit; adaptkit.__version__; adaptkit.Stack('language/sw')") == []


def test_what_needs_tensors_imports_them() -> None:
    assert "torch" in heavy_modules_after("import adaptkit; adaptkit.Adapter")


@pytest.mark.parametrize("name", adaptkit.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(adaptkit, name) is not None


def test_the_public_names_are_listed_in_order() -> None:
    assert list(adaptkit.__all__) == sorted(adaptkit.__all__)
    assert dir(adaptkit) == list(adaptkit.__all__)


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("", []),
        ("languages.branches('sw'); languages.nearest_relative('sw', ['rw'])", []),
        ("languages.canonical_tag('swh_Latn'); languages.usual_scripts('sw')", ["langcodes"]),
        ("languages.canonical_tag('Swahili')", ["langcodes", "language_data"]),
        ("languages.count_scripts('habari')", ["fontTools"]),
    ],
)
def test_tables_of_languages_are_read_when_they_are_needed(code: str, needed: list[str]) -> None:
    assert heavy_modules_after(f"from adaptkit import languages; {code}", heavy=(*HEAVY, *TABLES)) == needed


ZOO = Path(__file__).parents[2] / "adapters_zoo"
FOLDER = next(place.parent for place in sorted(ZOO.rglob("adaptkit.json")))
COMMAND = "from adaptkit.cli import main\ntry:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end\n"


@pytest.mark.parametrize(
    "command", ["--help", "--version", "version", "train --help", "evaluate --help", f"list {ZOO}", f"inspect {FOLDER}"]
)
def test_commands_that_read_and_tell_import_nothing_heavy(command: str) -> None:
    assert heavy_modules_after(COMMAND, command.split()) == []


@pytest.mark.parametrize("command", ["--help", "--version", "version"])
def test_what_needs_no_command_imports_none(command: str) -> None:
    commands = [f"adaptkit.cli.{name}" for name in ("train", "evaluate", "list_adapters", "options")]
    heavy = [*HEAVY, *TABLES, *commands, "numpy", "regex", "adaptkit.requests", "adaptkit.format"]
    assert heavy_modules_after(COMMAND, [command], heavy) == []


def test_an_index_is_written_without_tensors(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "zoo" / "sw")
    assert heavy_modules_after(COMMAND, ["index", str(tmp_path / "zoo")]) == []
    assert (tmp_path / "zoo" / "index.json").exists()
